package proxy

import (
	"github.com/rescind-edge/rescind/internal/field"
)

// Rewrite changes the fields of a message: Remove, then Set, then Add. Fields
// that frame messages or concern one connection are out of its reach.
type Rewrite struct {
	Set, Add field.Fields
	Remove   []string
}

func (w *Rewrite) none() bool { return len(w.Set) == 0 && len(w.Add) == 0 && len(w.Remove) == 0 }

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

// rewriteResponse changes the fields of a response as the last step but for
// what frames it.
func (x *exchange) rewriteResponse() {
	if x.service == nil {
		return
	}
	w := &x.service.Response
	x.out = without(x.out, w.Remove...)
	for _, line := range w.Set {
		x.out = x.out.Set(line.Name, line.Value)
	}
	x.out = append(x.out, w.Add...)
}
