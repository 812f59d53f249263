package field_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

var hasher = field.NewHasher([16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9})

const shop = "shop"

func tagsOf(t field.Target) []field.Tag { return hasher.AppendTags(nil, shop, t) }

func TestObjectsCarryTheTagsOfWhatNamesThem(t *testing.T) {
	object := field.Target{Scheme: "https", Host: "h:8443", Path: "/a/b/c", Query: "x=1", HasQuery: true}
	tags := tagsOf(object)
	bare := object
	bare.Scheme = ""
	if tags[0] != hasher.URL(shop, bare) {
		t.Error("the first tag is not that of the URL without its scheme")
	}
	for what, tag := range map[string]field.Tag{
		"all":            hasher.All(shop),
		"host":           hasher.Host(shop, "h"),
		"URL":            hasher.URL(shop, object),
		"/a":             pathTag("h", "/a"),
		"/a/b":           pathTag("h", "/a/b"),
		"/a/b/c":         pathTag("h", "/a/b/c"),
		"/a/b/":          pathTag("h", "/a/b/"),
		"/a on any host": pathTag("", "/a"),
		"spelled badly":  pathTag("", "//%61/x/../b"),
	} {
		if !slices.Contains(tags, tag) {
			t.Errorf("no tag for %s", what)
		}
	}
	plain, otherPort := object, object
	plain.Scheme, otherPort.Host = "http", "h"
	for what, tag := range map[string]field.Tag{
		"the other scheme":     hasher.URL(shop, plain),
		"another host":         hasher.Host(shop, "i"),
		"another host's path":  pathTag("i", "/a"),
		"half a segment":       pathTag("h", "/a/b/c2"),
		"a deeper path":        pathTag("h", "/a/b/c/d"),
		"another case":         pathTag("h", "/A"),
		"a key like the host":  hasher.Surrogate(shop, "h"),
		"a key like the path":  hasher.Surrogate(shop, "h\x00/a"),
		"a key of nothing":     hasher.Surrogate(shop, ""),
		"another service":      hasher.All("shop2"),
		"another service's, 2": hasher.Host("sho", "ph"),
	} {
		if slices.Contains(tags, tag) {
			t.Errorf("a tag for %s", what)
		}
	}
	if hasher.URL(shop, otherPort) != hasher.URL(shop, object) {
		t.Error("the port tells URL tags apart")
	}
}

func pathTag(hostname, path string) field.Tag {
	tag, _ := hasher.Path(shop, hostname, path)
	return tag
}

func TestPathPurgesAreSegmentAligned(t *testing.T) {
	for _, c := range []struct {
		purge, object string
		hit           bool
	}{
		{"/foo/bar", "/foo/bar", true},
		{"/foo/bar", "/foo/bar/", true},
		{"/foo/bar", "/foo/bar/baz", true},
		{"/foo/bar", "/foo/bar?q", true},
		{"/foo/bar", "/foo/barbaz", false},
		{"/foo/bar", "/foo/ba", false},
		{"/foo/bar", "/foo", false},
		{"/foo/bar", "/x/foo/bar", false},
		{"/foo/bar/", "/foo/bar", true}, // a trailing slash names the same subtree
		{"/foo/bar/", "/foo/barbaz", false},
		{"/foo%2Fbar", "/foo/bar", false}, // an escaped slash is part of a segment
		{"/foo%2Fbar", "/foo%2fbar/x", true},
		{"/foo/x/../bar", "/foo//%62ar/y", true},
	} {
		target := field.Target{Scheme: "http", Host: "h"}
		target.Path, target.Query, target.HasQuery = field.SplitRaw(c.object)
		for _, host := range []string{"", "h"} {
			if hit := slices.Contains(tagsOf(target), pathTag(host, c.purge)); hit != c.hit {
				t.Errorf("a purge of %s on host %q: hits %s: %v", c.purge, host, c.object, hit)
			}
		}
	}
}

func TestPathsBeyondTheDepthActAtIt(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("/s", n) }
	object := tagsOf(field.Target{Scheme: "http", Host: "h", Path: deep(field.MaxDepth) + "/x/y"})
	if want := 4 + 2*field.MaxDepth; len(object) != want {
		t.Errorf("%d tags, want %d", len(object), want)
	}
	for _, purge := range []string{deep(field.MaxDepth), deep(field.MaxDepth) + "/x", deep(field.MaxDepth) + "/elsewhere/deeper"} {
		tag, depth := hasher.Path(shop, "h", purge)
		if depth != field.MaxDepth || !slices.Contains(object, tag) {
			t.Errorf("a purge at depth %d does not reach an object below", depth)
		}
	}
	if tag, depth := hasher.Path(shop, "h", deep(field.MaxDepth-1)+"/other"); depth != field.MaxDepth || slices.Contains(object, tag) {
		t.Error("a purge within the depth takes a neighbour")
	}
	if _, depth := hasher.Path(shop, "h", "/.././/"); depth != 0 {
		t.Errorf("the root has depth %d", depth)
	}
}

func TestServicesAndKindsStayApart(t *testing.T) {
	seen := map[field.Tag]string{}
	names := []string{"", "a", "b", "ab", "a\x00b", "/a", "\x00/a", "shop", "\x01a"}
	add := func(what string, tag field.Tag) {
		if other, ok := seen[tag]; ok {
			t.Errorf("%s and %s share a tag", what, other)
		}
		seen[tag] = what
	}
	for _, service := range names {
		add(fmt.Sprintf("all of %q", service), hasher.All(service))
		for _, name := range names {
			add(fmt.Sprintf("host %q of %q", name, service), hasher.Host(service, name))
			add(fmt.Sprintf("key %q of %q", name, service), hasher.Surrogate(service, name))
		}
	}
	one, other := field.RandomHasher(), field.RandomHasher()
	if one.All(shop) == other.All(shop) {
		t.Error("two secrets give one tag")
	}
}

func TestKeysTellApartWhatAnOriginCould(t *testing.T) {
	keys := map[field.Key]string{}
	for _, raw := range []string{"/", "/?", "//", "/a", "/%61", "/a/", "/a?b", "/a%3Fb", "/a?b=", "/a?b&c", "/a?c&b"} {
		for _, scheme := range []string{"http", "https"} {
			for _, host := range []string{"h", "h:8080", "i"} {
				for _, service := range []string{"shop", "sho"} {
					target := field.Target{Scheme: scheme, Host: host}
					target.Path, target.Query, target.HasQuery = field.SplitRaw(raw)
					what := service + " " + target.String()
					key := hasher.Key(service, target)
					if other, ok := keys[key]; ok {
						t.Errorf("%s and %s share a key", what, other)
					}
					if keys[key] = what; hasher.Key(service, target) != key {
						t.Errorf("%s has two keys", what)
					}
				}
			}
		}
	}
}

// TestHashingOnTheHitPath holds that naming a resource costs no allocation,
// however long its URL may reasonably be.
func TestHashingOnTheHitPath(t *testing.T) {
	target := field.Target{Scheme: "https", Host: "www.example.com", Path: "/" + strings.Repeat("p", 200), Query: "id=1", HasQuery: true}
	room := make([]field.Tag, 0, 4+2*field.MaxDepth)
	plain := target
	plain.Query, plain.HasQuery = "", false
	for what, f := range map[string]func(){
		"Key":        func() { hasher.Key(shop, target) },
		"All":        func() { hasher.All(shop) },
		"Host":       func() { hasher.Host(shop, "www.example.com") },
		"Surrogate":  func() { hasher.Surrogate(shop, "product-4711") },
		"AppendTags": func() { hasher.AppendTags(room, shop, plain) },
		"Path":       func() { hasher.Path(shop, "h", plain.Path) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
}

func BenchmarkKey(b *testing.B) {
	target := field.Target{Scheme: "https", Host: "www.example.com", Path: "/products/shoes/4711", Query: "colour=red", HasQuery: true}
	b.ReportAllocs()
	for b.Loop() {
		hasher.Key(shop, target)
	}
}

func BenchmarkAppendTags(b *testing.B) {
	target := field.Target{Scheme: "https", Host: "www.example.com", Path: "/products/shoes/4711", Query: "colour=red", HasQuery: true}
	room := make([]field.Tag, 0, 16)
	b.ReportAllocs()
	for b.Loop() {
		hasher.AppendTags(room, shop, target)
	}
}
