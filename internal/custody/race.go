//go:build race

package custody

import (
	"reflect"
	"runtime"
	"strings"
	"sync"
)

// Taken marks what *v points to as written by this goroutine.
func Taken[T any](v *T) {
	t := reflect.TypeFor[T]()
	if pointless(t) {
		return
	}
	mark(reflect.ValueOf(v).Elem())
}

// mark marks what v points to in one step.
func mark(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			write(v, v.Type().Elem(), 1)
		}
	case reflect.Slice:
		if v.Len() > 0 {
			write(v, v.Type().Elem(), v.Len())
		}
	case reflect.Map:
		if !v.IsNil() {
			runtime.RaceWrite(v.UnsafePointer())
		}
	case reflect.Interface:
		if !v.IsNil() {
			mark(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			mark(v.Field(i))
		}
	case reflect.Array:
		if !pointless(v.Type().Elem()) {
			for i := range v.Len() {
				mark(v.Index(i))
			}
		}
	}
}

// write marks n values of type elem at v, unless they guard themselves.
func write(v reflect.Value, elem reflect.Type, n int) {
	if size := int(elem.Size()) * n; size > 0 && !guarded(elem) {
		runtime.RaceWriteRange(v.UnsafePointer(), size)
	}
}

var (
	pointlessTypes sync.Map // reflect.Type → bool
	guardedTypes   sync.Map
)

// pointless reports whether values of t point to nothing worth marking.
func pointless(t reflect.Type) bool {
	return known(&pointlessTypes, t, func() bool {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
			return false
		case reflect.Array:
			return pointless(t.Elem())
		case reflect.Struct:
			for i := range t.NumField() {
				if !pointless(t.Field(i).Type) {
					return false
				}
			}
		}
		return true
	})
}

// guarded reports whether t contains a lock, an atomic or a channel.
func guarded(t reflect.Type) bool {
	return known(&guardedTypes, t, func() bool {
		switch path := t.PkgPath(); {
		case path == "sync", path == "sync/atomic", strings.HasSuffix(path, "handoff-go/handoff"):
			return true
		}
		switch t.Kind() {
		case reflect.Chan:
			return true
		case reflect.Array:
			return guarded(t.Elem())
		case reflect.Struct:
			for i := range t.NumField() {
				if guarded(t.Field(i).Type) {
					return true
				}
			}
		}
		return false
	})
}

func known(cache *sync.Map, t reflect.Type, find func() bool) bool {
	if yes, ok := cache.Load(t); ok {
		return yes.(bool)
	}
	yes := find()
	cache.Store(t, yes)
	return yes
}
