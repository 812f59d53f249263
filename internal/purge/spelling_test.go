package purge

import (
	"slices"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

var hasher = field.NewHasher([16]byte{7})

// stored returns the tags of an object of service shop, as a fetch gives them.
func stored(t *testing.T, url string, rule field.QueryRule, keys ...string) Tags {
	t.Helper()
	target, err := ParseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	tags := hasher.AppendTags(nil, "shop", rule.Apply(target))
	for _, k := range keys {
		tags = append(tags, hasher.Surrogate("shop", k))
	}
	return tags
}

// hits tells whether a selector takes what carries the tags.
func hits(t *testing.T, tags Tags, s Selector, err error, rule field.QueryRule) bool {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Contains(tags, s.Tag(hasher, "shop", rule))
}

// TestURLPurgesFindEverySpelling goes through what clients make of a URL on
// its way to a purge API: query sorted, rebuilt through a map, encoded anew.
func TestURLPurgesFindEverySpelling(t *testing.T) {
	for _, c := range []struct{ object, purge string }{
		{"https://h/", "https://h"},
		{"https://h/", "h"},
		{"https://h/", "//h/"},
		{"http://h/", "h:80/"},
		{"https://h/", "https://h:443/"},
		{"http://h:8080/a", "h/a"},
		{"http://h/a", "h:8080/a"},
		{"https://h/a", "HTTPS://H./a"},
		{"https://h/a?b=2&a=1", "https://h/a?a=1&b=2"},
		{"https://h/a?f", "https://h/a?f="},
		{"https://h/a?f=", "https://h/a?f"},
		{"https://h/a?b&a=1&f", "https://h/a?a=1&b=&f="},
		{"https://h/a?x=1&x=2", "https://h/a?x=1"},
		{"https://h/a?x=1&x=2", "https://h/a?x=2"},
		{"https://h/a?y=9&x=1&x=2&y=8", "https://h/a?x=1&y=9"},
		{"https://h/a?y=9&x=1&x=2&y=8", "https://h/a?x=2&y=8"},
		{"https://h/a?y=9&x=1&x=2&y=8", "https://h/a?y=9&x=1&x=2&y=8"},
		{"https://h/a?q=a%20b", "https://h/a?q=a+b"},
		{"https://h/a?q=a+b", "https://h/a?q=a%20b"},
		{"https://h/a?q=%c3%a9", "https://h/a?q=%C3%A9"},
		{"https://h/a?q=%C3%A9", "https://h/a?q=é"},
		{"https://h/a?q[]=1", "https://h/a?q%5B%5D=1"},
		{"https://h/%7euser", "https://h/~user"},
		{"https://h/caf%C3%A9", "https://h/café"},
		{"https://h/a%20b", "https://h/a b"},
		{"https://h/a%2fb", "https://h/a%2Fb"},
		{"https://h/a/./b/../c", "https://h/a/c"},
		{"https://h/a/%2E%2e/c", "https://h/c"},
		{"https://h//a///b", "https://h/a/b"},
		{"https://h/a?", "https://h/a"},
		{"https://h/a", "https://h/a?"},
		{"https://h/a?b&&c&", "https://h/a?b&c"},
		{"https://h/a", "https://h/a#fragment"},
	} {
		for _, rule := range []field.QueryRule{{}, {Mode: field.QuerySorted}, {Mode: field.QueryIgnore}} {
			s, err := URL(c.purge)
			if !hits(t, stored(t, c.object, rule), s, err, rule) {
				t.Errorf("a purge of %s leaves %s standing under rule %d", c.purge, c.object, rule.Mode)
			}
		}
	}
}

func TestURLPurgesLeaveOthersAlone(t *testing.T) {
	for _, c := range []struct{ object, purge string }{
		{"https://h/a", "http://h/a"},
		{"https://h/a", "https://h/a/"},
		{"https://h/a", "https://h/A"},
		{"https://h/a", "https://h/"},
		{"https://h/a/b", "https://h/a"},
		{"https://h/a", "https://i/a"},
		{"https://h/a", "https://www.h/a"},
		{"https://h/a?b=1", "https://h/a"},
		{"https://h/a", "https://h/a?b=1"},
		{"https://h/a?b=1", "https://h/a?b=2"},
		{"https://h/a?b=1&c=2", "https://h/a?b=1"},
		{"https://h/a?b=1%26c=2", "https://h/a?b=1&c=2"},
		{"https://h/a%2Fb", "https://h/a/b"},
		{"https://h/a%3Fb", "https://h/a?b"},
		{"https://h/a+b", "https://h/a%20b"},
	} {
		s, err := URL(c.purge)
		if hits(t, stored(t, c.object, field.QueryRule{}), s, err, field.QueryRule{}) {
			t.Errorf("a purge of %s takes %s", c.purge, c.object)
		}
	}
}

func TestURLPurgesFollowTheQueryRule(t *testing.T) {
	include := field.QueryRule{Mode: field.QueryInclude, Names: []string{"id"}}
	exclude := field.QueryRule{Mode: field.QueryExclude, Names: []string{"utm_*"}}
	for _, c := range []struct {
		rule          field.QueryRule
		object, purge string
		hit           bool
	}{
		{include, "h/a?id=1&x=2", "h/a?id=1", true},
		{include, "h/a?id=1", "h/a?x=9&%69d=1", true},
		{include, "h/a?id=1", "h/a?id=2", false},
		{include, "h/a?x=1", "h/a", true},
		{exclude, "h/a?utm_source=m&b=1", "h/a?b=1&utm_medium=n", true},
		{exclude, "h/a?utm_source=m", "h/a", true},
		{exclude, "h/a?b=1", "h/a", false},
		{field.QueryRule{Mode: field.QueryIgnore}, "h/a?b=1", "h/a?c=2", true},
	} {
		s, err := URL(c.purge)
		if hit := hits(t, stored(t, c.object, c.rule), s, err, c.rule); hit != c.hit {
			t.Errorf("a purge of %s takes %s: %v, under %+v", c.purge, c.object, hit, c.rule)
		}
	}
}

func TestOtherSelectors(t *testing.T) {
	object := stored(t, "https://www.example.com:8443/shop/shoes/1?c=red", field.QueryRule{}, "product-1", "shop")
	for _, c := range []struct {
		make func(string) (Selector, error)
		name string
		hit  bool
	}{
		{Key, "product-1", true},
		{Key, "Product-1", false},
		{Key, "product-", false},
		{Key, "www.example.com", false}, // a key is never a host
		{Key, "/shop", false},
		{Host, "WWW.example.com", true},
		{Host, "www.example.com:80", true},
		{Host, "example.com", false},
		{Host, "shop", false}, // nor a host a key
		{Path, "/shop", true},
		{Path, "/shop/", true},
		{Path, "/shop/shoes/1", true},
		{Path, "/shop/shoes/1/x", false},
		{Path, "/sho", false},
		{Path, "/shoes", false},
		{Path, "/shop?anything", true},
		{Path, "www.example.com/shop", true},
		{Path, "http://www.example.com/shop", true}, // whatever the scheme
		{Path, "other.example.com/shop", false},
		{Path, "www.example.com", true}, // the root of a host is the host
		{Path, "other.example.com/", false},
		{Path, "/", true}, // the root of every host is everything
	} {
		s, err := c.make(c.name)
		if hit := hits(t, object, s, err, field.QueryRule{}); hit != c.hit {
			t.Errorf("a purge of %v %q takes the object: %v", s.Kind, c.name, hit)
		}
	}
	for _, s := range []Selector{All(), {Kind: ByPath, Target: field.Target{Path: "/"}}} {
		if got := s.Tag(hasher, "shop", field.QueryRule{}); got != hasher.All("shop") || slices.Contains(object, s.Tag(hasher, "news", field.QueryRule{})) {
			t.Errorf("%v is not all of its service, or of another", s)
		}
	}
}
