package accesslog

import (
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

func (f *Format) appendJSON(dst []byte, e *event.Request) []byte {
	o := open(dst)
	o.time("time", e.Time)
	o.text("event", "request")
	o.text("outcome", string(e.Outcome))
	o.text("reason", e.Reason)
	o.number("status", int64(e.Status))
	o.number("bytes", e.Bytes)
	o.some("received", e.Received)
	o.number("duration_us", e.Duration.Microseconds())
	o.some("first_byte_us", e.FirstByte.Microseconds())
	o.flag("cut", e.Cut)
	o.subject(e)
	o.source(e)
	o.text("referer", e.RequestField("Referer"))
	o.text("user_agent", e.RequestField("User-Agent"))
	o.fields("request_headers", f.request, e.RequestField)
	o.fields("response_headers", f.response, e.ResponseField)
	return o.close()
}

// subject writes who asked whom for what.
func (o *object) subject(e *event.Request) {
	o.text("id", e.ID)
	o.text("service", e.Service)
	o.text("node", e.Node)
	o.addr("client", e.Client)
	o.text("peer", e.Remote)
	o.text("tls", e.TLS)
	o.text("method", e.Method)
	o.text("scheme", e.Scheme)
	o.text("host", e.Host)
	o.text("target", e.Target)
	o.text("proto", e.Proto)
}

// source writes where the answer came from.
func (o *object) source(e *event.Request) {
	o.text("origin", e.Origin)
	o.some("origin_status", int64(e.OriginStatus))
	if fromStore(e) {
		o.number("age", int64(e.Age/time.Second))
		o.number("hits", int64(e.Hits))
	}
	o.flag("collapsed", e.Collapsed)
}

// fields writes an object of fields, unless none of them is there.
func (o *object) fields(name string, list []named, value func(name string) string) {
	before := len(o.b)
	for i := range list {
		v := value(list[i].name)
		if v == "" {
			continue
		}
		if len(o.b) == before {
			o.name(name)
			o.b = append(o.b, '{')
		}
		o.text(list[i].key, v)
	}
	if len(o.b) != before {
		o.b = append(o.b, '}')
	}
}
