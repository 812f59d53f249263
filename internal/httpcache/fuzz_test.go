package httpcache

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

func FuzzCacheControl(f *testing.F) {
	for _, s := range []string{
		"max-age=60", `max-age="60", private="a, b"`, "no-store", `x="a\"b`, "s-maxage=99999999999, stale-while-revalidate=1",
		"=,=\",", "max-age =1", "no-cache=\"Set-Cookie\", must-revalidate, proxy-revalidate",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		p := &Policy{DefaultSWR: time.Hour, DefaultSIE: time.Hour, DefaultKeep: time.Hour}
		x := got(200, "A: 1")
		x.Response = field.Fields{{Name: "Cache-Control", Value: one}, {Name: "Surrogate-Control", Value: two}, {Name: "ETag", Value: `"a"`}}
		checkStoring(t, Store(x, p))
		both := field.Fields{{Name: "Cache-Control", Value: one}, {Name: "cache-control", Value: two}}
		x.Response = append(both, field.Field{Name: "ETag", Value: `"a"`})
		checkStoring(t, Store(x, p))
		// What one line forbids, no other line can hide.
		x.Response = append(both[:2:2], field.Field{Name: "Cache-Control", Value: "no-store"})
		if s := Store(x, p); s.Store && !cacheControl(x.Response).mustUnderstand {
			t.Fatal("stored against no-store")
		}
		r := ParseRequest(both)
		for _, s := range []Seconds{r.MaxAge, r.MinFresh, r.MaxStale, r.StaleIfError} {
			if s.Value < 0 || s.Value > maxSeconds*time.Second || s.Value != 0 && !s.Given {
				t.Fatalf("%+v", r)
			}
		}
	})
}

func checkStoring(t *testing.T, s Storing) {
	t.Helper()
	if s.Store != (s.Reason == ReasonStored) {
		t.Fatalf("stored %v, because %v", s.Store, s.Reason)
	}
	m := s.Times
	if s.Store && (m.Fresh < s.Born || m.SWR < m.Fresh || m.SIE < m.Fresh || m.Keep < m.SWR || m.Keep < m.SIE || m.Keep <= t0) {
		t.Fatalf("times out of order: %+v, born %d", m, s.Born)
	}
}

func FuzzCDNCacheControl(f *testing.F) {
	for _, s := range []string{"max-age=60", "max-age=60;a=b, no-store=?0", `private="a", no-cache=(a b)`, "MAX-AGE=1", "max-age=1.5", "a=:YQ==:", "a=@1", `a=%"x"`, ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		x := got(200, "A: 1")
		x.Response = field.Fields{{Name: "CDN-Cache-Control", Value: value}, {Name: "ETag", Value: `"a"`}}
		s := Store(x, &Policy{DefaultKeep: time.Hour})
		checkStoring(t, s)
		if s.Store && strings.Contains(value, "max-age=-") && ttl(s) > 0 && !strings.Contains(strings.Replace(value, "max-age=-", "", 1), "max") {
			t.Fatalf("%q is fresh", value)
		}
	})
}

func FuzzVariant(f *testing.F) {
	f.Add("A, b", "1", "2", "")
	f.Add("*", "", "", "\x01a\x02x")
	f.Add("a", ` "x ,"  y`, "\t", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, vary, one, two, key string) {
		req := field.Fields{{Name: "a", Value: one}, {Name: "A", Value: two}, {Name: "b", Value: two}}
		made, ok := Variant(vary, req)
		if ok && !VariantMatches(made, req) {
			t.Fatalf("%q does not match its own request", made)
		}
		if ok && SameVariant(made, req) != made {
			t.Fatalf("%q is another variant of its own request", made)
		}
		VariantMatches(key, req) // what is on disk may be damaged
		SameVariant(key, req)
	})
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, s := range []string{"gzip, br;q=0", "*", "*;q=0, zstd", "gzip;q=0.001", ";q=", "x-gzip ; a=b; q=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := NormalAcceptEncoding(value)
		if !slices.Contains(normalEncodings[:], got) || NormalAcceptEncoding(got) != got {
			t.Fatalf("%q becomes %q", value, got)
		}
	})
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1", "bytes=-5", "bytes=3-", "bytes=0-1, 2-3,-1", "bytes=9223372036854775807-9223372036854775807", "lines=1-2"} {
		f.Add(s, `"a"`, int64(10))
	}
	f.Fuzz(func(t *testing.T, value, ifRange string, size int64) {
		req := field.Fields{{Name: "Range", Value: value}}
		stored := field.Fields{{Name: "ETag", Value: `"a"`}, {Name: "Last-Modified", Value: t0Date}}
		a := Range(req, stored, size)
		if (len(a.Ranges) > 0) != (a.Kind == Partial) || len(a.Ranges) > maxRanges {
			t.Fatalf("%+v", a)
		}
		total := int64(0)
		for _, r := range a.Ranges {
			if r.Start < 0 || r.Length <= 0 || r.Start > size-r.Length {
				t.Fatalf("%+v is not inside %d bytes", r, size)
			}
			total += r.Length
		}
		if total > max(size, 0) {
			t.Fatalf("%d bytes of %d are sent", total, size)
		}
		Range(req.Add("If-Range", ifRange), stored, size)
	})
}

func FuzzTags(f *testing.F) {
	f.Add("a b c", " ", 3, 10, 0, false)
	f.Add("A,\u00e4,,b", ",", 0, 0, 1, true)
	f.Fuzz(func(t *testing.T, value, separators string, maxKey, maxValue, maxKeys int, fold bool) {
		h := TagHeader{Name: "T", Separators: separators, MaxKey: maxKey, MaxValue: maxValue, MaxKeys: maxKeys, FoldCase: fold}
		list := Tags([]TagHeader{h}, field.Fields{{Name: "T", Value: value}, {Name: "t", Value: value}})
		total := 0
		for _, key := range list.Keys {
			if key == "" || !printable(key) || len(key) > orDefault(maxKey, DefaultMaxKey) || fold && key != strings.ToLower(key) {
				t.Fatalf("key %q", key)
			}
			total += len(key)
		}
		if total > orDefault(maxValue, DefaultMaxValue) && total > 0 || maxKeys > 0 && len(list.Keys) > maxKeys {
			t.Fatalf("%d keys with %d bytes", len(list.Keys), total)
		}
	})
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{t0Date, "Sunday, 06-Nov-94 08:49:37 GMT", asctimeDate, "Fri, 31 Dec 9999 23:59:59 GMT", "0"} {
		f.Add(s, t0/int64(time.Second))
	}
	f.Fuzz(func(t *testing.T, s string, ref int64) {
		if seconds, ok := parseDate(s, ref%(1<<40)); ok {
			written := time.Unix(seconds, 0).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
			if again, ok := parseDate(written, ref); len(written) == len(imfDate) && (!ok || again != seconds) {
				t.Fatalf("%q is %d, %q is %d", s, seconds, written, again)
			}
		}
	})
}

func FuzzEntityTags(f *testing.F) {
	f.Add(`"a", W/"b", c`, `W/"b"`)
	f.Add(`"`, `W/`)
	f.Fuzz(func(t *testing.T, list, tag string) {
		req, stored := field.Fields{{Name: "If-None-Match", Value: list}}, field.Fields{{Name: "ETag", Value: tag}}
		Precondition("GET", req, stored)
		if _, ok := storedTag(stored); ok && Precondition("GET", field.Fields{{Name: "If-None-Match", Value: tag}}, stored) != NotModified {
			t.Fatalf("%q does not match itself", tag)
		}
	})
}

func FuzzReference(f *testing.F) {
	for _, s := range []string{"/a/../b", "//h/x", "https://h:443", "../..", "?q", "a:b", "//[::1]/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, reference string) {
		base := field.Target{Scheme: "https", Host: "h", Path: "/a/b"}
		for _, target := range InvalidatedTargets(base, field.Fields{{Name: "Location", Value: reference}}) {
			if target.Scheme != "https" || target.Host != "h" || !strings.HasPrefix(target.Path, "/") {
				t.Fatalf("%q is %+v", reference, target)
			}
		}
	})
}
