package accesslog_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/accesslog"
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

func TestDirectives(t *testing.T) {
	for format, want := range map[string]string{
		"common": `192.0.2.7 - anna [14/Mar/2026:14:09:26 +0000] "GET /product/42?size=l&x=1 HTTP/2.0" 200 5120`,
		"combined": `192.0.2.7 - anna [14/Mar/2026:14:09:26 +0000] "GET /product/42?size=l&x=1 HTTP/2.0" 200 5120 ` +
			`"https://a.example/" "Mozilla/5.0 \"x\""`,
		"%a %h":                            "192.0.2.7 192.0.2.7",
		"%b %B %O %I":                      "5120 5120 5120 3",
		"%D %T %{s}T %{ms}T %{us}T":        "2345678 2 2 2345 2345678",
		"%H %m %v":                         "HTTP/2.0 GET www.example.com",
		"%U%q":                             "/product/42?size=l&x=1",
		"%U|%q":                            "/product/42|?size=l&x=1",
		"%s %>s":                           "200 200",
		"%{sec}t %{msec}t %{usec}t":        "1773497366 1773497366535 1773497366535897",
		"%{rfc3339}t":                      "2026-03-14T14:09:26.535897Z",
		"%{Host}i":                         "www.example.com",
		"%{accept-LANGUAGE}i":              `de,\x20en`,
		`"%{Accept-Language}i"`:            `"de, en"`,
		"%{x-cache}o %{Nothing}o %{None}i": "HIT - -",
		`"%{vary}o"`:                       `"Accept, Cookie"`,
		"100%% %l\t|":                      "100% -\t|",
		"%{Rescind:outcome}x %{Rescind:reason}x %{Rescind:service}x %{Rescind:node}x": "hit fresh shop fra1-a",
		"%{Rescind:id}x %{Rescind:peer}x %{Rescind:scheme}x %{Rescind:tls}x":          "r1 10.1.2.3:5555 https TLSv1.3",
		"%{Rescind:origin}x %{Rescind:origin_status}x":                                "127.0.0.1:9000 304",
		"%{Rescind:age}x %{Rescind:hits}x %{Rescind:cut}x %{Rescind:collapsed}x":      "61 7 1 1",
		"%{Rescind:edge}x %{Rescind:edge_pop}x":                                       "ams1-a ams1",
		"%{Rescind:first_byte_us}x %{Varnish:time_firstbyte}x":                        "1500 0.001500",
		"%{Varnish:hitmiss}x %{Varnish:handling}x":                                    "hit hit",
	} {
		if got := line(t, format, sample()); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", format, got, want)
		}
	}
}

func TestNothingKnownIsADash(t *testing.T) {
	for format, want := range map[string]string{
		"combined":                     `- - - [01/Jan/0001:00:00:00 +0000] "-" 000 - "-" "-"`,
		"%B %H %m [%q] %U %v %I":       "0 - - [] - - 0",
		"%{X}o %{Rescind:origin}x":     "- -",
		"%{Rescind:origin_status}x":    "-",
		"%{Varnish:handling}x %{us}T":  "synth 0",
		"%{Rescind:cut}x %{Referer}i.": "0 -.",
	} {
		if got := line(t, format, &event.Request{}); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", format, got, want)
		}
	}
}

func TestRefusedRequestsHaveTheSameFormats(t *testing.T) {
	e := refused()
	for format, want := range map[string]string{
		"common": `2001:db8::1 - - [14/Mar/2026:15:09:26 +0000] "POST /a\\x00\"b" 400 -`,
		"%{Rescind:outcome}x \"%{Rescind:reason}x\" %{Rescind:reason}x": `refused "both Content-Length and Transfer-Encoding" ` +
			`both\x20Content-Length\x20and\x20Transfer-Encoding`,
		"json": `{"time":"2026-03-14T15:09:26.000000Z","event":"request","outcome":"refused",` +
			`"reason":"both Content-Length and Transfer-Encoding","status":400,"bytes":0,"duration_us":0,"node":"fra1-a",` +
			`"client":"2001:db8::1","peer":"[2001:db8::1]:4242","method":"POST","target":"/a\\x00\"b"}`,
	} {
		if got := line(t, format, &e); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", format, got, want)
		}
	}
}

func TestValuesCannotPassForOthers(t *testing.T) {
	e := sample()
	e.RequestFields = field.Fields{
		{Name: "Authorization", Value: "basic  YSAiLSBbeF0gIiI6cA=="}, // a "- [x] ""
		{Name: "Referer", Value: "x\" 200 5 \"\\\x1b[2J\u009b\u202e\n"},
	}
	e.Client = netip.MustParseAddr("fe80::1%\" 1")
	want := `fe80::1 a\x20\"-\x20[x]\x20\"\" "x\" 200 5 \"\\\x1b[2J\xc2\x9b\xe2\x80\xae\x0a"`
	if got := line(t, `%h %u "%{Referer}i"`, e); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUserIsNeverASecret(t *testing.T) {
	for _, value := range []string{"Bearer YW5uYTpzZWNyZXQ=", "Basic c2VjcmV0", "Basic %%%", "Basic", "", "Basic OnNlY3JldA=="} {
		e := &event.Request{RequestFields: field.Fields{{Name: "authorization", Value: value}}}
		if got := line(t, "%u", e); got != "-" {
			t.Errorf("%q: user %q", value, got)
		}
	}
}

func TestLongValuesAreCut(t *testing.T) {
	e := &event.Request{Target: "/" + strings.Repeat("ä", accesslog.MaxValueBytes)}
	if got := line(t, "json", e); !strings.HasSuffix(got, `ä..."}`) || len(got) > accesslog.MaxValueBytes+200 {
		t.Errorf("%d bytes, ending in %s", len(got), got[len(got)-20:])
	}
	if got := line(t, "%U", e); !strings.HasSuffix(got, `\xa4...`) {
		t.Errorf("ends in %s", got[len(got)-20:])
	}
}

func TestFormatErrorsNameThePosition(t *testing.T) {
	for format, want := range map[string]string{
		"combinde":               `format, position 1: holds no directive, and is not the name of a format (json, common, combined)`,
		"%h %Z":                  `format, position 4: unknown directive "%Z"`,
		"%h %é":                  `format, position 4: unknown directive "%é"`,
		"%h %":                   `format, position 4: % without a directive; a percent sign is written %%`,
		"%{Referer":              `format, position 1: %{ without }`,
		"%{Referer}":             `format, position 1: % without a directive; a percent sign is written %%`,
		"%h %i":                  `format, position 4: %i needs a name, as in %{name}i`,
		"%{x}b":                  `format, position 1: %b takes no name`,
		"%{x}Z":                  `format, position 1: unknown directive "%{x}Z"`,
		"%{a b}i":                `format, position 1: "a b" is not a field name`,
		"%{}o":                   `format, position 1: "" is not a field name`,
		"%h\n":                   `format, position 3: "\n" does not print`,
		"%h\xff":                 `format, position 3: "\xff" does not print`,
		"%{min}T":                `format, position 1: unknown name "min"; there are ms, s, us`,
		"%{%Y}t":                 `format, position 1: unknown name "%Y"; there are msec, rfc3339, sec, usec`,
		"%{fastly-key}i":         `format, position 1: Fastly-Key carries credentials and is never logged`,
		"%%":                     `format, position 1: holds no directive, and is not the name of a format (json, common, combined)`,
		strings.Repeat("x", 5e3): `format, position 4097: longer than 4096 bytes`,
	} {
		_, err := accesslog.Compile(accesslog.Config{Format: format})
		var syntax *accesslog.SyntaxError
		if !errors.As(err, &syntax) || err.Error() != want {
			t.Errorf("%.20q\ngot  %v\nwant %s", format, err, want)
		}
	}
}

func TestListsOfFieldsAreChecked(t *testing.T) {
	for want, cfg := range map[string]accesslog.Config{
		`only the format json`:                {Format: "common", RequestFields: []string{"Accept"}},
		`request fields: "a b" is not a`:      {RequestFields: []string{"a b"}},
		`response fields: "vary" is named`:    {ResponseFields: []string{"Vary", "vary"}},
		`Proxy-Authorization carries`:         {RequestFields: []string{"proxy-authorization"}},
		`request fields: 33 names; 32 are th`: {RequestFields: make([]string, 33)},
	} {
		if _, err := accesslog.Compile(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	_, err := accesslog.Compile(accesslog.Config{RequestFields: []string{"Authorization"}})
	if !errors.Is(err, accesslog.ErrCredential) {
		t.Errorf("got %v", err)
	}
	_, err = accesslog.Compile(accesslog.Config{Format: "%{Authorization}i"})
	if !errors.Is(err, accesslog.ErrCredential) {
		t.Errorf("got %v", err)
	}
}
