package config

import (
	"strings"
	"time"
)

func (r *reader) readOrigins(s *section, service *Service) {
	s.require("origins", `say where the content comes from, such as origins: [{url: "http://127.0.0.1:9000"}]`)
	if s.has("origins") && emptyList(s, "origins") {
		s.failField("origins", "is empty; a service needs at least one origin")
	}
	s.each("origins", func(item *node) {
		var origin Origin
		r.section(item, func(s *section) { readOrigin(s, &origin) })
		for _, other := range service.Origins {
			if origin.URL != "" && other.URL == origin.URL && other.Host == origin.Host {
				r.fail(item, "%s is listed twice; remove one", origin.URL)
			}
		}
		service.Origins = append(service.Origins, origin)
	})
}

func readOrigin(s *section, origin *Origin) {
	s.require("url", "write it like http://127.0.0.1:9000")
	if url := s.scalar("url"); url != nil {
		var err error
		if origin.URL, err = parseOriginURL(url.text); err != nil {
			s.r.fail(url, "the URL %s", err)
		}
	}
	parsed(s, "host", &origin.Host, parseHostField)
	parsed(s, "sni", &origin.SNI, parseServerName)
	s.boolean("tls_insecure", &origin.TLSInsecure)
	s.boolean("http2", &origin.HTTP2)
	switch {
	case strings.HasPrefix(origin.URL, "http://"):
		s.uselessField("sni", origin.SNI != "", "the origin's URL is http; without TLS there is no server name")
		s.uselessField("tls_insecure", origin.TLSInsecure, "the origin's URL is http; there is no certificate to check")
	case strings.HasPrefix(origin.URL, "https://"):
		s.uselessField("http2", origin.HTTP2, "an https origin negotiates HTTP/2 by itself; remove the line")
	}
}

// uselessField reports a field that is set but cannot have an effect.
func (s *section) uselessField(name string, set bool, why string) {
	if set {
		s.failField(name, "%s", why)
	}
}

func readPool(s *section, pool *Pool) {
	s.duration("connect_timeout", &pool.ConnectTimeout, time.Millisecond)
	s.duration("first_byte_timeout", &pool.FirstByteTimeout, time.Millisecond)
	s.duration("idle_timeout", &pool.IdleTimeout, time.Millisecond)
	s.integer("max_connections", &pool.MaxConnections, 1, 1_000_000)
	s.integer("retries", &pool.Retries, 0, 10)
	s.duration("resolve_interval", &pool.ResolveInterval, time.Second)
	s.section("health", func(s *section) { readHealth(s, &pool.Health) })
	s.section("passive", func(s *section) {
		s.integer("failures", &pool.Passive.Failures, 0, 1_000_000)
		s.duration("eject_for", &pool.Passive.EjectFor, time.Millisecond)
	})
}

func readHealth(s *section, health *Health) {
	s.require("path", "say what to request, such as path: /healthz; without a section health there are no active checks")
	s.text("path", &health.Path)
	s.duration("interval", &health.Interval, 100*time.Millisecond)
	health.Timeout = min(health.Timeout, health.Interval)
	s.duration("timeout", &health.Timeout, time.Millisecond)
	s.integer("healthy", &health.Healthy, 1, 1000)
	s.integer("unhealthy", &health.Unhealthy, 1, 1000)
	s.integer("expect_status", &health.ExpectStatus, 200, 599)
	if path := health.Path; path != "" && (path[0] != '/' || strings.ContainsAny(path, " \t\r\n#")) {
		s.failField("path", "is not the path of a request; begin it with / and escape what is special")
	}
	if health.Timeout > health.Interval {
		s.failField("timeout", "%s is longer than interval (%s); a check must end before the next begins",
			durationText(health.Timeout), durationText(health.Interval))
	}
}
