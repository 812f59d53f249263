package field

import (
	"fmt"
	"slices"
	"strings"
)

// QueryMode says which part of a query tells resources apart.
type QueryMode uint8

const (
	QueryAll     QueryMode = iota // the query as it was sent
	QuerySorted                   // the same parameters in any order are one resource
	QueryIgnore                   // the query is no part of the cache key
	QueryInclude                  // only the named parameters, sorted
	QueryExclude                  // all but the named parameters, sorted
)

// QueryRule is a service's treatment of queries in its cache keys. The origin
// still receives the query as it was sent.
type QueryRule struct {
	Mode  QueryMode
	Names []string // for QueryInclude and QueryExclude; "*" at the end matches a prefix
}

// Version tells rules apart: objects stored under another rule have other tags
// and are no longer found by purges made under this one.
func (r QueryRule) Version() string {
	return fmt.Sprintf("%d:%q", r.Mode, r.Names)
}

// Apply returns the target as its cache key sees it.
func (r QueryRule) Apply(t Target) Target {
	switch r.Mode {
	case QueryAll:
		return t
	case QueryIgnore:
		t.Query, t.HasQuery = "", false
		return t
	}
	if !t.HasQuery {
		return t
	}
	parts := strings.Split(t.Query, "&")
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" || !r.keeps(p) })
	slices.SortStableFunc(parts, compareNames)
	t.Query = strings.Join(parts, "&")
	t.HasQuery = t.Query != ""
	return t
}

func (r QueryRule) keeps(part string) bool {
	name, _, _ := strings.Cut(part, "=")
	name = unescapeQuery(name)
	switch r.Mode {
	case QueryInclude:
		return r.names(name)
	case QueryExclude:
		return !r.names(name)
	}
	return true
}

func (r QueryRule) names(name string) bool {
	return slices.ContainsFunc(r.Names, func(pattern string) bool {
		if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
			return strings.HasPrefix(name, prefix)
		}
		return pattern == name
	})
}

func compareNames(a, b string) int {
	a, _, _ = strings.Cut(a, "=")
	b, _, _ = strings.Cut(b, "=")
	return strings.Compare(a, b)
}
