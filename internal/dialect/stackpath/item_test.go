package stackpath

import (
	"strings"
	"testing"
	"time"
)

func TestItems(t *testing.T) {
	for body, want := range map[string]string{
		`{"items":[{"url":"//a.example/x"}]}`:                                           "url //a.example/x",
		`{"items":[{"url":"http://a.example/x?b=1"}]}`:                                  "url http://a.example/x?b=1",
		`{"items":[{"url":"//a.example/x/*","recursive":true}]}`:                        "path a.example/x/",
		`{"items":[{"url":"//a.example","recursive":true}]}`:                            "host a.example",
		`{"items":[{"url":"//a.example/d/","recursive":true,"purgeSelector":null}]}`:    "path a.example/d/",
		`{"items":[{"url":"//a.example/d/","recursive":true,"purgeSelector":{}}]}`:      "path a.example/d/",
		`{"items":[{"url":"//a.example/x","invalidateOnly":true,"purgeAllDynamic":1}]}`: "url //a.example/x",
		`{"items":[{"url":"//a.example/d/","recursive":true,"purgeSelector":[{"selectorName":"(?i)x-custom-*","selectorValue":"a*","selectorType":"HEADER"}]}]}`:                                                     "header x-custom-*: (?i)a* under path a.example/d/",
		`{"items":[{"url":"//a.example/","recursive":true,"purgeSelector":{"selectorName":"X-Product","selectorValue":"shoes/*"}}]}`:                                                                                 "header X-Product: shoes/* under host a.example",
		`{"items":[{"url":"//a.example/x","purgeSelector":{"selectorName":"X-Product","selectorValue":"b"}}]}`:                                                                                                       "header X-Product: b under url //a.example/x",
		`{"items":[{"url":"//a.example/","recursive":true,"purgeSelector":[{"selectorName":"X-TAG","selectorValue":"t","selectorType":"TAG"}]}]}`:                                                                    `header X-TAG: t separated by , under host a.example`,
		`{"items":[{"url":"//a.example/","recursive":true,"purgeSelector":[{"selectorName":"X","selectorValue":"t","selectorType":"tag","selectorValueDelimiter":"|"}, {"selectorName":"Y","selectorValue":"u"}]}]}`: `header X: t separated by | under host a.example | header Y: u under host a.example`,
		`{"items":[{"url":"//a.example/*"}]}`: "error",
		`{"items":[{"url":"/x"}]}`:            "error",
		`{"items":[{"url":"//a.example/x","purgeSelector":{"selectorName":"","selectorValue":"b"}}]}`: "error",
		`{"items":{}}`: "error",
	} {
		if got := describeItems(body); got != want {
			t.Errorf("%s:\n%s, want\n%s", body, got, want)
		}
	}
}

func describeItems(body string) string {
	items, err := parse([]byte(body))
	var texts []string
	for _, i := range items {
		selectors, failed := i.selected()
		if failed != nil {
			err = failed
		}
		for _, s := range selectors {
			texts = append(texts, s.Kind.String()+" "+s.String())
		}
	}
	if err != nil {
		return "error"
	}
	return strings.Join(texts, " | ")
}

// FuzzItems holds that a body is refused, or every item names something.
func FuzzItems(f *testing.F) {
	for _, seed := range []string{
		`{"items":[{"url":"//a/b","recursive":true,"invalidateOnly":true,"purgeAllDynamic":true,"headers":["a"],"purgeSelector":[]}]}`,
		`{"items":[{"url":"https://a/b","purgeSelector":{"selectorName":"(?i)x-*","selectorValue":"a?\\*","selectorType":"TAG","selectorValueDelimiter":";"}}]}`,
		`{"list":[{"url":"//a/"}]}`, `{"items":[{}]}`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := parse(body)
		if (err == nil) != (len(items) > 0) {
			t.Fatalf("%d items and %v", len(items), err)
		}
		for _, i := range items {
			if selectors, err := i.selected(); err == nil && (len(selectors) == 0 || selectors[0].Kind == 0) {
				t.Errorf("%+v names nothing", i)
			}
		}
	})
}

// FuzzAccessToken holds that no text passes for an access token but one that
// the key signed.
func FuzzAccessToken(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	good := key.sign(claims{Issuer: issuer, Subject: "deploy", Expires: now.Unix() + 1, Grant: "g"})
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add("eyJhbGciOiJub25lIn0." + strings.Split(good, ".")[1] + ".")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := key.verify(token, now); err == nil && token != good {
			t.Errorf("%q passes", token)
		}
	})
}

func TestAccessTokenEnds(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	token := key.sign(claims{Issuer: issuer, Subject: "deploy", Expires: now.Unix() + 60, Grant: "g"})
	if c, err := key.verify(token, now.Add(59*time.Second)); err != nil || c.Grant != "g" || c.Subject != "deploy" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := key.verify(token, now.Add(time.Minute)); err != errExpired {
		t.Errorf("at its end: %v", err)
	}
}

func TestKeyOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	first, err := OpenKey(dir)
	if err != nil || first == (Key{}) {
		t.Fatal(err)
	}
	if again, err := OpenKey(dir); err != nil || again != first {
		t.Errorf("opened again it differs: %v", err)
	}
	if a, _ := OpenKey(""); a == first {
		t.Error("without a directory it is the same")
	}
	if _, err := OpenKey(dir + "/missing"); err == nil {
		t.Error("there is no such directory")
	}
}
