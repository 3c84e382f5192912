package web_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/hub/web"
)

// description is the served OpenAPI document, as far as the tests read it.
type description struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]shape }
}

type operation struct {
	OperationID string `json:"operationId"`
	Parameters  []struct {
		Name, In string
		Example  any
	}
	RequestBody struct {
		Content map[string]struct {
			Schema  shape
			Example json.RawMessage
		}
	}
	Responses map[string]struct {
		Content map[string]struct {
			Schema  shape
			Example json.RawMessage
		}
	}
}

// shape is the part of JSON Schema that the description uses.
type shape struct {
	Ref        string `json:"$ref"`
	Type       string
	Nullable   bool
	Properties map[string]shape
	Required   []string
	Additional any `json:"additionalProperties"`
	Items      *shape
	Enum       []any
}

func describe(h *home) (d description) {
	h.t.Helper()
	a := h.want(200, "*", "GET", "/v1/openapi.json", "")
	if err := json.Unmarshal([]byte(a.text), &d); err != nil {
		h.t.Fatal(err)
	}
	if !strings.HasPrefix(d.OpenAPI, "3.") {
		h.t.Fatalf("openapi %q", d.OpenAPI)
	}
	return d
}

// TestEveryRouteIsDescribed, and nothing else is.
func TestEveryRouteIsDescribed(t *testing.T) {
	d := describe(serve(t, web.Options{}))
	var described []string
	params := map[string][]string{}
	for path, methods := range d.Paths {
		for method, o := range methods {
			at := strings.ToUpper(method) + " " + path
			described = append(described, at)
			for _, p := range o.Parameters {
				if p.In == "query" {
					params[at] = append(params[at], p.Name)
				}
			}
		}
	}
	slices.Sort(described)
	routes := web.Routes()
	var there []string
	for at, takes := range routes {
		there = append(there, at)
		slices.Sort(takes)
		slices.Sort(params[at])
		if !slices.Equal(takes, params[at]) {
			t.Errorf("%s takes %q, described are %q", at, takes, params[at])
		}
	}
	slices.Sort(there)
	if !slices.Equal(described, there) {
		t.Errorf("described: %q\nthere: %q", described, there)
	}
}

// TestExamplesAreAccepted: each request is made as the description's examples say,
// and its answer is as described.
func TestExamplesAreAccepted(t *testing.T) {
	all := describe(serve(t, web.Options{}))
	for path, methods := range all.Paths {
		for method, o := range methods {
			if strings.HasSuffix(path, "/socket") {
				continue // TestSocket
			}
			t.Run(method+" "+path, func(t *testing.T) {
				h := serve(t, web.Options{})
				tries := 0
				for as, b := range o.RequestBody.Content {
					if b.Example != nil {
						tryExample(h, all, method, path, o, as, b.Example)
						all.check(t, b.Schema, b.Example, "body")
						tries++
					}
				}
				if tries == 0 {
					tryExample(h, all, method, path, o, "", nil)
				}
			})
		}
	}
}

func tryExample(h *home, all description, method, path string, o operation, as string, body []byte) {
	t := h.t
	t.Helper()
	h.want(201, "*", "PUT", c("orders"), `{"slots":4,"carries":"json"}`)
	h.want(201, "*", "PUT", c("returns"), "")
	h.want(201, "*", "PUT", c("log"), "")
	h.want(200, "*", "POST", c("orders")+"/send", `{"article":"pears","count":3}`)
	query := url.Values{}
	var header []string
	for _, p := range o.Parameters {
		switch {
		case p.In == "path" && p.Name == "channel":
			path = strings.Replace(path, "{channel}", fmt.Sprint(p.Example), 1)
		case p.In == "path":
			hold, _ := h.want(200, "*", "POST", c("orders")+"/take", "").json(t)["hold"].(string)
			path = strings.Replace(path, "{hold}", hold, 1)
		case p.Example == nil:
		case p.In == "header":
			header = append(header, p.Name+": "+fmt.Sprint(p.Example))
		default:
			query.Set(p.Name, fmt.Sprint(p.Example))
		}
	}
	if as != "" {
		header = append(header, "Content-Type: "+as)
	}
	good := o.Responses["200"]
	if _, streams := good.Content["text/event-stream"]; streams {
		_, leave := h.listen(path + "?" + query.Encode())
		leave()
		return
	}
	a := h.ask(strings.ToUpper(method), path+"?"+query.Encode(), string(body), header...)
	described, ok := o.Responses[fmt.Sprint(a.status)]
	if !ok || a.status >= 300 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	for as, r := range described.Content {
		if strings.HasPrefix(a.header.Get("Content-Type"), as) {
			all.check(t, r.Schema, []byte(a.text), "answer")
			if r.Example != nil {
				all.check(t, r.Schema, r.Example, "example")
			}
			return
		}
	}
	t.Errorf("the answer is %q", a.header.Get("Content-Type"))
}

// check compares a JSON text with what it should be.
func (d description) check(t *testing.T, s shape, text []byte, at string) {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	d.fits(t, s, v, at)
}

func (d description) fits(t *testing.T, s shape, v any, at string) {
	t.Helper()
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		if s, ok = d.Components.Schemas[name]; !ok {
			t.Fatalf("%s: no schema %s", at, name)
		}
	}
	is := map[string]bool{"": true}
	switch v := v.(type) {
	case nil:
		is[s.Type] = s.Nullable
	case string:
		is["string"] = true
	case bool:
		is["boolean"] = true
	case float64:
		is["number"], is["integer"] = true, v == float64(int64(v))
	case []any:
		is["array"] = true
		for i, e := range v {
			if s.Items != nil {
				d.fits(t, *s.Items, e, fmt.Sprintf("%s[%d]", at, i))
			}
		}
	case map[string]any:
		is["object"] = true
		for k, e := range v {
			p, known := s.Properties[k]
			if !known && s.Additional == false {
				t.Errorf("%s.%s is not described", at, k)
			}
			d.fits(t, p, e, at+"."+k)
		}
		for _, k := range s.Required {
			if _, ok := v[k]; !ok {
				t.Errorf("%s.%s is missing", at, k)
			}
		}
	}
	if !is[s.Type] {
		t.Errorf("%s is %v, described as %s", at, v, s.Type)
	}
	if s.Enum != nil && !slices.Contains(s.Enum, v) {
		t.Errorf("%s is %v, described as one of %v", at, v, s.Enum)
	}
}
