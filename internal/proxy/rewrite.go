package proxy

import (
	"net/http"

	"github.com/rescind-edge/rescind/internal/field"
)

// Rewrite changes the fields of a message: Remove, then Set, then Add. Fields
// that frame messages or concern one connection are out of its reach.
type Rewrite struct {
	Set, Add field.Fields
	Remove   []string
}

// request changes the fields of a request before anything is looked up, so that
// variants are told apart by what the origin is sent.
func (w *Rewrite) request(f field.Fields) field.Fields {
	for _, name := range w.Remove {
		f = f.Without(name)
	}
	for _, line := range w.Set {
		f = f.Set(line.Name, line.Value)
	}
	return append(f, w.Add...)
}

// rewriteResponse changes the fields of a response as its last step.
func (x *exchange) rewriteResponse(h http.Header) {
	if x.service == nil {
		return
	}
	w := &x.service.Response
	for _, name := range w.Remove {
		h.Del(name)
	}
	for _, line := range w.Set {
		h.Set(line.Name, line.Value)
	}
	for _, line := range w.Add {
		h.Add(line.Name, line.Value)
	}
}
