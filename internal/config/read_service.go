package config

import (
	"fmt"
	"strings"
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
		service := defaultService(&r.config)
		r.section(item, func(s *section) { r.readService(s, &service) })
		r.config.Services = append(r.config.Services, service)
	})
	if r.witness() {
		top.uselessField("services", top.has("services"), noSites)
		return
	}
	top.require("services", "a node serves at least one service")
	if top.has("services") && emptyList(top, "services") {
		top.failField("services", "is empty; a node serves at least one service")
	}
}

func (r *reader) readService(s *section, service *Service) {
	r.readID(s, service)
	r.readDomains(s, service)
	r.readOrigins(s, service)
	r.readShield(s, service)
	s.section("origin", func(s *section) { readPool(s, &service.Pool) })
	s.section("cache", func(s *section) { r.readCache(s, &service.Cache) })
	s.section("purge", func(s *section) { readPurge(s, &service.Purge) })
	s.section("headers", func(s *section) { readHeaders(s, &service.Headers) })
	s.section("error_pages", func(s *section) { readErrorPages(s, &service.ErrorPages) })
	s.section("limits", func(s *section) { s.size("body_bytes", &service.BodyBytes, 0) })
	s.section("debug", func(s *section) { s.prefixes("allow_from", &service.DebugFrom) })
	s.prefixes("trusted_proxies", &service.TrustedProxies)
	s.boolean("forwarded", &service.Forwarded)
	s.boolean("cache_status", &service.CacheStatus)
}

// readShield reads which POP is the shield. Its nodes are found, and prove who
// they are, by the cluster.
func (r *reader) readShield(s *section, service *Service) {
	s.section("shield", func(s *section) {
		s.require("pop", "name the POP whose nodes go to the origins, such as pop: fra1")
		parsed(s, "pop", &service.Shield.POP, parseName)
	})
	if s.has("shield") && !r.config.Cluster.Enabled() {
		s.failField("shield", "needs a cluster: its members tell where they are, and its secret is what they know each other by; add cluster, or remove shield")
	}
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
