package accesslog

import (
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

func TestPrintableAgreesWithEachByte(t *testing.T) {
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				b := []byte(strings.Repeat("~", length))
				b[at] = byte(c)
				want := c >= ' ' && c < 0x7f && c != '"' && c != '\\'
				if got := printable(string(b)); got != want {
					t.Fatalf("%q: printable is %v", b, got)
				}
			}
		}
	}
}

func TestPrintableAgreesOnAnything(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	alphabet := "a \x1f\x20\x21\x22\x23[\\]~\x7f\x80\xff\x00"
	for range 20000 {
		b := make([]byte, random.IntN(30))
		for i := range b {
			b[i] = alphabet[random.IntN(len(alphabet))]
		}
		if s := string(b); printable(s) != printableShort(s) {
			t.Fatalf("seed %d: %q: printable is %v", seed, s, printable(s))
		}
	}
}

func TestTimesAreThoseOfTheLayouts(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	check := func(at time.Time) {
		got := string(appendApacheTime(appendTimestamp(nil, at), at))
		if want := at.UTC().Format(jsonTime + apacheTime); got != want {
			t.Fatalf("seed %d: got %s, want %s", seed, got, want)
		}
	}
	for range 20000 {
		check(time.Unix(random.Int64N(1<<34)-1<<33, random.Int64N(1e9)).In(time.FixedZone("", random.IntN(86400)-43200)))
	}
	for _, at := range []time.Time{{}, time.Unix(1<<40, 999), time.Unix(-1<<40, 999999999), time.Date(9999, 12, 31, 23, 59, 59, 1e9-1, time.UTC)} {
		check(at)
	}
}

// lineOf writes a request as the members of a JSON object are written
// everywhere else, one by one.
func lineOf(f *Format, e *event.Request) string {
	o := open(nil)
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
	o.text("id", e.ID)
	o.text("service", e.Service)
	o.text("node", e.Node)
	o.addr("client", e.Client)
	o.text("edge", e.Edge)
	o.text("edge_pop", e.EdgePOP)
	o.text("peer", e.Remote)
	o.text("tls", e.TLS)
	o.text("method", e.Method)
	o.text("scheme", e.Scheme)
	o.text("host", e.Host)
	o.text("target", e.Target)
	o.text("proto", e.Proto)
	o.text("origin", e.Origin)
	o.some("origin_status", int64(e.OriginStatus))
	if fromStore(e) {
		o.number("age", int64(e.Age/time.Second))
		o.number("hits", int64(e.Hits))
	}
	o.flag("collapsed", e.Collapsed)
	o.text("referer", e.RequestField("Referer"))
	o.text("user_agent", e.RequestField("User-Agent"))
	for _, list := range []struct {
		name   string
		fields []named
		of     func(string) string
	}{{"request_headers", f.request, e.RequestField}, {"response_headers", f.response, e.ResponseField}} {
		in := open(nil)
		for _, n := range list.fields {
			in.text(n.key, list.of(n.name))
		}
		if len(in.b) > 1 {
			o.name(list.name)
			o.b = append(o.b, in.close()...)
		}
	}
	return string(o.close())
}

// Lines are the same, byte by byte, whatever of a request is there.
func TestLinesAreThoseOfTheModel(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	f, err := Compile(Config{RequestFields: []string{"Accept", "X"}, ResponseFields: []string{"X-Cache", "Vary"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 5000 {
		e := anyRequest(random)
		if got, want := string(f.Append(nil, e)), lineOf(f, e); got != want {
			t.Fatalf("seed %d:\ngot  %s\nwant %s", seed, got, want)
		}
	}
}

func anyRequest(random *rand.Rand) *event.Request {
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	text := func() string {
		return pick("", "", "GET", "www.example.com", `a "quoted" \ one`, "naïve 😀", "\r\n\x00\x9b", "\xff", strings.Repeat("é", 2100))
	}
	number := func() int64 { return random.Int64() >> random.IntN(64) * random.Int64N(2) }
	addrs := []netip.Addr{
		{}, netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("::ffff:10.0.0.1%x"),
	}
	e := &event.Request{
		Time: time.Unix(number()>>32, number()%1e9), ID: text(), Service: text(), Node: text(),
		Remote: text(), Client: addrs[random.IntN(len(addrs))], TLS: text(),
		Method: text(), Scheme: text(), Host: text(), Target: text(), Proto: text(),
		Status: random.IntN(600), Received: number(), Bytes: number(), Duration: time.Duration(number()), FirstByte: time.Duration(number()),
		Cut: random.IntN(2) == 0, Outcome: event.Outcome(pick("hit", "stale", "miss", "")), Reason: text(),
		Origin: text(), OriginStatus: int(number()), Age: time.Duration(number()), Hits: uint64(number()), Collapsed: random.IntN(2) == 0,
	}
	for range random.IntN(6) {
		e.RequestFields = e.RequestFields.Add(pick("Referer", "referer", "User-Agent", "USER-AGENT", "Accept", "x", "Upgrade", "If-NoMatch"), text())
	}
	if random.IntN(2) == 0 {
		e.ResponseFields = http.Header{"X-Cache": {text()}, "Vary": {text(), text()}}
	}
	return e
}
