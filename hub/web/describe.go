package web

import (
	_ "embed"
	"net/http"
)

// description is what the server can be asked for, as OpenAPI 3.
//
//go:embed openapi.json
var description []byte

func (c *call) describe() error {
	writeBody(c.w, http.StatusOK, jsonBody, description)
	return nil
}
