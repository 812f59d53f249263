package field_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

var seedFlag = flag.Uint64("seed", 0, "replay one run of the property tests")

func newRand(t *testing.T) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("replay with -seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// resource is what a URL means, apart from how it is spelled.
type resource struct {
	scheme, host string
	segments     []string // decoded
	trailing     bool
	query        map[string]string // decoded
}

// identity is a text that no two resources share.
func (r resource) identity() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %q %v", r.scheme, r.host, r.segments, r.trailing && len(r.segments) > 0)
	for _, name := range slices.Sorted(maps.Keys(r.query)) {
		fmt.Fprintf(&b, " %q=%q", name, r.query[name])
	}
	return b.String()
}

// pieces are what tells URLs apart or does not: separators that are escaped
// must never be taken for separators.
var pieces = []string{"a", "b", "A", "/", "&", "=", "+", " ", "?", "#", ".", "..", "%", ";", "\x00", "\x01", "%2F", "%00", "é", "\xff"}

func someText(rng *rand.Rand, most int) string {
	var b strings.Builder
	for range rng.IntN(most + 1) {
		b.WriteString(pieces[rng.IntN(len(pieces))])
	}
	return b.String()
}

func someResource(rng *rand.Rand) resource {
	r := resource{
		scheme:   []string{"http", "https"}[rng.IntN(2)],
		host:     []string{"h", "i", "h.i"}[rng.IntN(3)],
		trailing: rng.IntN(2) == 0,
		query:    map[string]string{},
	}
	for range rng.IntN(4) {
		if s := someText(rng, 3); s != "" && s != "." && s != ".." {
			r.segments = append(r.segments, s)
		}
	}
	for range rng.IntN(3) {
		if name, value := someText(rng, 2), someText(rng, 2); name != "" {
			r.query[name] = value
		}
	}
	return r
}

// spelled returns one of the many ways to write a resource down.
func (r resource) spelled(rng *rand.Rand) field.Target {
	t := field.Target{Scheme: r.scheme, Host: r.host + []string{"", ":8080", ":8443"}[rng.IntN(3)]}
	var path strings.Builder
	for _, s := range r.segments {
		switch rng.IntN(6) {
		case 0:
			path.WriteString("/")
		case 1:
			path.WriteString("/.")
		case 2:
			path.WriteString("/away/%2e.")
		}
		path.WriteString("/" + escaped(rng, s, false))
	}
	if len(r.segments) == 0 || r.trailing {
		path.WriteString([]string{"/", "//", "/./", "/.", "/away/.."}[rng.IntN(5)])
	}
	t.Path = path.String()
	names := slices.Sorted(maps.Keys(r.query))
	rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var parts []string
	for _, name := range names {
		part := escaped(rng, name, true)
		if value := r.query[name]; value != "" || rng.IntN(2) == 0 {
			part += "=" + escaped(rng, value, true)
		}
		for range 1 + rng.IntN(2)*rng.IntN(2) {
			parts = append(parts, part)
		}
		if rng.IntN(8) == 0 {
			parts = append(parts, "")
		}
	}
	t.Query = strings.Join(parts, "&")
	t.HasQuery = t.Query != "" || rng.IntN(2) == 0
	return t
}

// escaped writes a text with every byte escaped that must be, others at random,
// and hex digits in either case.
func escaped(rng *rand.Rand, s string, query bool) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		plain := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '.' || c == ';' || c >= 0x80
		plain = plain || !query && (c == '&' || c == '=' || c == '+' || c == ' ')
		switch {
		case query && c == ' ' && rng.IntN(2) == 0:
			b.WriteByte('+')
		case plain && rng.IntN(3) > 0:
			b.WriteByte(c)
		case rng.IntN(2) == 0:
			fmt.Fprintf(&b, "%%%02x", c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// TestEverySpellingIsOneResource holds both halves of what URL tags are for:
// no spelling of a purged URL escapes, and nobody else's URL is taken.
func TestEverySpellingIsOneResource(t *testing.T) {
	rng := newRand(t)
	seen := map[field.Tag]string{}
	for range 20_000 {
		r := someResource(rng)
		object, purged := r.spelled(rng), r.spelled(rng)
		tags := tagsOf(object)
		either := purged
		either.Scheme = ""
		if !slices.Contains(tags, hasher.URL(shop, purged)) || tags[0] != hasher.URL(shop, either) {
			t.Fatalf("a purge of %q leaves %q standing", purged, object)
		}
		tag := hasher.URL(shop, purged)
		if other, ok := seen[tag]; ok && other != r.identity() {
			t.Fatalf("two resources share a tag:\n%s\n%s", other, r.identity())
		}
		seen[tag] = r.identity()
		for segments := range len(r.segments) {
			above := r
			above.segments = r.segments[:segments+1]
			if host := purged.Hostname(); !slices.Contains(tags, pathTag(host, above.spelled(rng).Path)) {
				t.Fatalf("a purge of the path %q leaves %q standing", above.segments, object)
			}
		}
	}
	if len(seen) < 10_000 {
		t.Errorf("only %d different resources were tried", len(seen))
	}
}

// TestRepeatsAreFoundWithEitherKept holds that a URL with repeated parameters
// is found by a client that keeps all of them, or the first of each name, or
// the last of each, in the sent order or sorted by name.
func TestRepeatsAreFoundWithEitherKept(t *testing.T) {
	rng := newRand(t)
	for range 5_000 {
		var parts, first, last []string
		values := map[string][]string{}
		for range 1 + rng.IntN(6) {
			name, value := string("abc"[rng.IntN(3)]), string("123"[rng.IntN(3)])
			parts = append(parts, name+"="+value)
			values[name] = append(values[name], value)
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			first = append(first, name+"="+values[name][0])
			last = append(last, name+"="+values[name][len(values[name])-1])
		}
		sorted := slices.Clone(parts)
		slices.SortStableFunc(sorted, func(a, b string) int { return strings.Compare(a[:1], b[:1]) })
		with := func(parts []string) field.Target {
			return field.Target{Scheme: "http", Host: "h", Path: "/", Query: strings.Join(parts, "&"), HasQuery: true}
		}
		for _, rule := range []field.QueryRule{{}, {Mode: field.QuerySorted}, {Mode: field.QueryExclude, Names: []string{"c"}}} {
			tags := tagsOf(rule.Apply(with(parts)))
			for _, kept := range [][]string{parts, sorted, first, last} {
				if !slices.Contains(tags, hasher.URL(shop, rule.Apply(with(kept)))) {
					t.Fatalf("a purge of %v leaves %v standing under %v", kept, parts, rule)
				}
			}
		}
	}
}
