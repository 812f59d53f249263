package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

func (r *reader) readCache(s *section, cache *Cache) {
	s.duration("default_ttl", &cache.DefaultTTL, 0)
	s.duration("max_ttl", &cache.MaxTTL, 0)
	s.section("negative_ttl", func(s *section) { readNegativeTTL(s, cache) })
	s.duration("stale_while_revalidate", &cache.StaleWhileRevalidate, 0)
	s.duration("stale_if_error", &cache.StaleIfError, 0)
	s.duration("keep", &cache.Keep, 0)
	s.duration("hit_for_miss", &cache.HitForMiss, time.Second)
	readQuery(s, &cache.Query)
	choice(s, "set_cookie", &cache.SetCookie, SetCookieRefuse, SetCookieStrip, SetCookieStore)
	choice(s, "request_directives", &cache.RequestDirectives, DirectivesIgnore, DirectivesObey)
	choice(s, "accept_encoding", &cache.AcceptEncoding, EncodingNormalize, EncodingPass)
	s.boolean("groups", &cache.Groups)
	readCompress(s, &cache.Compress)
	s.size("max_object", &cache.MaxObject, 1)
	s.boolean("store_close_delimited", &cache.StoreCloseDelimited)

	if half := r.config.Storage.Memory / 2; cache.MaxObject > half {
		s.failField("max_object", "%s is more than half of storage.memory (%s), so that one object could displace all others; lower it or raise storage.memory",
			cache.MaxObject, r.config.Storage.Memory)
	}
	if cache.MaxTTL > 0 && cache.DefaultTTL > cache.MaxTTL {
		s.failField("default_ttl", "%s is longer than max_ttl (%s); lower it or raise max_ttl",
			durationText(cache.DefaultTTL), durationText(cache.MaxTTL))
	}
}

// readNegativeTTL reads a mapping whose names are statuses.
func readNegativeTTL(s *section, cache *Cache) {
	cache.NegativeTTL = map[int]time.Duration{}
	for _, e := range s.n.fields {
		status, err := strconv.Atoi(e.name)
		if err != nil || status < 300 || status > 599 || status == 304 {
			s.known = append(s.known, e.name)
			s.r.failAt(e.line, e.column, e.value.path, "is not a status from 300 to 599 that can be stored")
			continue
		}
		var ttl time.Duration
		s.duration(e.name, &ttl, 0)
		cache.NegativeTTL[status] = ttl
	}
}

// readQuery reads a word, or a mapping with the one field include or exclude.
func readQuery(s *section, query *Query) {
	if e := s.n.find("query"); e == nil || e.value.kind != isMapping {
		choice(s, "query", &query.Mode, QueryAll, QuerySorted, QueryIgnore)
		return
	}
	s.section("query", func(s *section) {
		names := func(mode QueryMode) {
			if s.has(string(mode)) {
				query.Mode = mode
			}
			s.each(string(mode), func(item *node) {
				var name string
				if parseNode(s.r, item, &name, parseParameter) {
					query.Names = append(query.Names, name)
				}
			})
		}
		names(QueryInclude)
		names(QueryExclude)
		if len(s.n.fields) > 1 && s.has("include") && s.has("exclude") || len(s.n.fields) == 0 {
			s.r.fail(s.n, "needs either include or exclude")
		}
	})
}

func parseParameter(text string) (string, error) {
	if text == "" || strings.Contains(strings.TrimSuffix(text, "*"), "*") {
		return "", errors.New("is not the name of a parameter; a * may stand only at its end")
	}
	return text, nil
}
