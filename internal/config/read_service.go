package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// seen remembers what must be unique over the whole file, with its lines.
type seen struct {
	services map[string]int
	domains  map[string]domainPlace
	tokens   map[string]int      // by name
	hashes   map[[32]byte]string // by value: the token's name
}

type domainPlace struct {
	service string
	line    int
}

func (r *reader) readServices(top *section) {
	r.seen.services = map[string]int{}
	r.seen.domains = map[string]domainPlace{}
	top.each("services", func(item *node) {
		service := defaultService(r.config.Storage)
		r.section(item, func(s *section) { r.readService(s, &service) })
		r.config.Services = append(r.config.Services, service)
	})
	top.require("services", "a node serves at least one service")
	if top.has("services") && emptyList(top, "services") {
		top.failField("services", "is empty; a node serves at least one service")
	}
}

func (r *reader) readService(s *section, service *Service) {
	r.readID(s, service)
	r.readDomains(s, service)
	r.readOrigins(s, service)
	s.section("origin", func(s *section) { readPool(s, &service.Pool) })
	s.section("cache", func(s *section) { r.readCache(s, &service.Cache) })
	s.section("purge", func(s *section) { readPurge(s, &service.Purge) })
	s.section("debug", func(s *section) { s.prefixes("allow_from", &service.DebugFrom) })
	s.prefixes("trusted_proxies", &service.TrustedProxies)
	s.boolean("forwarded", &service.Forwarded)
	s.boolean("cache_status", &service.CacheStatus)
}

func (r *reader) readID(s *section, service *Service) {
	s.require("id", "give the service a short name, such as id: shop")
	id := s.get("id")
	if id == nil || !parseNode(r, id, &service.ID, parseName) {
		return
	}
	if line, ok := r.seen.services[service.ID]; ok {
		r.fail(id, "%q is already the id of the service in line %d; ids are unique", service.ID, line)
		return
	}
	r.seen.services[service.ID] = id.line
}

// maxName bounds the names of nodes, POPs, services and tokens, which stand in
// every log line, receipt and path of the API.
const maxName = 64

func parseName(text string) (string, error) {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
	if text == "" || len(text) > maxName || strings.Trim(text, allowed) != "" {
		return "", fmt.Errorf("is not a name; take 1 to %d of the characters A-Z a-z 0-9 . _ -", maxName)
	}
	return text, nil
}

func (r *reader) readDomains(s *section, service *Service) {
	s.require("domains", "list the hosts that this service answers, such as domains: [www.example.com]")
	if s.has("domains") && emptyList(s, "domains") {
		s.failField("domains", "is empty; list the hosts that this service answers")
	}
	s.oneOrEach("domains", func(item *node) {
		var domain string
		if !parseNode(r, item, &domain, parseDomain) {
			return
		}
		if other, ok := r.seen.domains[domain]; ok {
			r.fail(item, "%s is already a domain of service %q (line %d); a host belongs to one service", domain, other.service, other.line)
			return
		}
		r.seen.domains[domain] = domainPlace{service.ID, item.line}
		service.Domains = append(service.Domains, domain)
	})
}

func readPurge(s *section, purge *Purge) {
	s.prefixes("allow_from", &purge.AllowFrom)
	s.boolean("require_token", &purge.RequireToken)
	s.duration("undo_window", &purge.UndoWindow, 0)
	s.each("tag_headers", func(item *node) {
		var header TagHeader
		if item.kind == isScalar {
			parseNode(s.r, item, &header.Name, parseFieldName)
		} else {
			s.r.section(item, func(s *section) { readTagHeader(s, &header) })
		}
		for _, other := range purge.TagHeaders {
			if header.Name != "" && field.EqualFold(other.Name, header.Name) {
				s.r.fail(item, "%s is listed twice; remove one", other.Name)
			}
		}
		purge.TagHeaders = append(purge.TagHeaders, header)
	})
	if s.has("tag_headers") && emptyList(s, "tag_headers") {
		s.failField("tag_headers", "is empty; name a field or remove the line, which leaves Surrogate-Key")
	}
}

func readTagHeader(s *section, header *TagHeader) {
	s.require("name", "say which response field carries the keys")
	parsed(s, "name", &header.Name, parseFieldName)
	parsed(s, "separator", &header.Separator, parseSeparator)
	if s.has("fold_case") {
		header.FoldCase = new(bool)
		s.boolean("fold_case", header.FoldCase)
	} else {
		s.known = append(s.known, "fold_case")
	}
	s.boolean("keep", &header.Keep)
}

func parseFieldName(text string) (string, error) {
	if !field.ValidName(text) {
		return "", errors.New("is not the name of a field")
	}
	return text, nil
}

// parseSeparator admits what no key needs: letters, digits and the colon are
// parts of keys everywhere.
func parseSeparator(text string) (string, error) {
	const allowed = " ,;|"
	if text == "" || len(text) > len(allowed) || strings.Trim(text, allowed) != "" {
		return "", errors.New(`is not a separator; take one or more of space, comma, semicolon and |, such as " " or ", "`)
	}
	return text, nil
}
