package accesslog

import "github.com/rescind-edge/rescind/internal/event"

// AppendPurged appends the JSON line of a purge, without a line end.
func AppendPurged(dst []byte, e *event.Purged) []byte {
	o := open(dst)
	o.time("time", e.Time)
	o.text("event", "purge")
	o.text("outcome", "applied")
	o.text("id", e.ID)
	o.text("service", e.Service)
	o.text("mode", e.Mode)
	o.selectors(e.Selectors)
	o.some("omitted", int64(e.Omitted))
	o.text("actor", e.Actor)
	o.addr("address", e.Addr)
	o.text("dialect", e.Dialect)
	o.text("note", e.Note)
	if o.text("node", e.Node); e.Node == "" {
		o.number("took_us", e.Took.Microseconds())
	}
	if e.CountKnown {
		o.number("count", int64(e.Count))
	}
	return o.close()
}

func (o *object) selectors(list []event.Selector) {
	if len(list) == 0 {
		return
	}
	o.name("selectors")
	for i, s := range list {
		o.b = append(o.b, "[,"[min(i, 1)], '{')
		o.text("kind", s.Kind)
		o.text("value", s.Value)
		o.b = append(o.b, '}')
	}
	o.b = append(o.b, ']')
}

// AppendReverted appends the JSON line of a purge that was taken back, without
// a line end.
func AppendReverted(dst []byte, e *event.Reverted) []byte {
	o := open(dst)
	o.time("time", e.Time)
	o.text("event", "revert")
	o.text("outcome", e.Outcome)
	o.text("id", e.ID)
	o.text("service", e.Service)
	o.text("actor", e.Actor)
	o.addr("address", e.Addr)
	o.flag("elsewhere", e.Elsewhere)
	return o.close()
}

// AppendDenied appends the JSON line of what was turned down, without a line
// end.
func AppendDenied(dst []byte, e *event.Denied) []byte {
	o := open(dst)
	o.time("time", e.Time)
	o.text("event", "denied")
	o.text("outcome", "denied")
	o.text("action", string(e.Action))
	o.text("reason", string(e.Reason))
	o.text("detail", e.Detail)
	o.text("service", e.Service)
	o.text("actor", e.Actor)
	o.addr("address", e.Addr)
	o.text("dialect", e.Dialect)
	o.some("suppressed", int64(e.Suppressed))
	return o.close()
}

// AppendTokenChanged appends the JSON line of a token that was created or
// revoked, without a line end.
func AppendTokenChanged(dst []byte, e *event.TokenChanged) []byte {
	o := open(dst)
	o.time("time", e.Time)
	o.text("event", "token")
	o.text("outcome", string(e.Change))
	o.text("id", e.ID)
	o.text("name", e.Name)
	o.text("scopes", e.Scopes)
	o.texts("services", e.Services)
	if !e.Expires.IsZero() {
		o.time("expires", e.Expires)
	}
	o.text("actor", e.Actor)
	o.addr("address", e.Addr)
	return o.close()
}
