package config

import (
	"slices"

	"github.com/rescind-edge/rescind/internal/field"
)

func (r *reader) readLog(top *section) {
	log := &r.config.Log
	*log = Log{Level: LogInfo, Format: LogText}
	top.section("log", func(s *section) {
		choice(s, "level", &log.Level, LogDebug, LogInfo, LogWarn, LogError)
		choice(s, "format", &log.Format, LogText, LogJSON)
	})
}

func (r *reader) readMetrics(top *section) {
	r.config.Metrics.Enabled = true
	top.section("metrics", func(s *section) { s.boolean("enabled", &r.config.Metrics.Enabled) })
}

// maxLogs bounds how often one request or purge is written.
const maxLogs = 16

func (r *reader) readAccessLog(top *section) {
	top.each("access_log", func(item *node) {
		log := AccessLog{Format: AccessJSON}
		r.section(item, func(s *section) { readAccessLog(s, &log) })
		r.config.AccessLog = append(r.config.AccessLog, log)
	})
	if len(r.config.AccessLog) > maxLogs {
		top.failField("access_log", "has more than %d entries; each costs every request", maxLogs)
	}
}

func readAccessLog(s *section, log *AccessLog) {
	readTarget(s, &log.To)
	s.text("format", &log.Format)
	s.text("only", &log.Only)
	s.section("headers", func(s *section) {
		readNames(s, "request", &log.Headers.Request)
		readNames(s, "response", &log.Headers.Response)
	})
	s.uselessField("headers", s.has("headers") && log.Format != AccessJSON,
		"has an effect only with format: json; in a format string, write %{Name}i for a request's field and %{Name}o for a response's")
	s.checkAccessLog(*log)
}

// checkAccessLog asks those who will use the values.
func (s *section) checkAccessLog(log AccessLog) {
	check := s.r.src.Check
	if check.Format != nil && (log.Format == AccessJSON || !s.has("headers")) {
		if err := check.Format(log); err != nil {
			s.failField("format", "%s", err)
		}
	}
	if check.Filter != nil && log.Only != "" {
		if err := check.Filter(log.Only); err != nil {
			s.failField("only", "%s", err)
		}
	}
}

func (r *reader) readPurgeLog(top *section) {
	top.each("purge_log", func(item *node) {
		var log PurgeLog
		r.section(item, func(s *section) { readTarget(s, &log.To) })
		r.config.PurgeLog = append(r.config.PurgeLog, log)
	})
	if len(r.config.PurgeLog) > maxLogs {
		top.failField("purge_log", "has more than %d entries", maxLogs)
	}
}

func readTarget(s *section, to *string) {
	s.require("to", "say where the lines go: stdout, file:/path, syslog+udp://host:port or https://host/path")
	if n := s.scalar("to"); n != nil {
		var err error
		if *to, err = s.r.src.parseTarget(n.text); err != nil {
			s.r.fail(n, "the target %s", err) // without the value, which may hold a secret
		} else if check := s.r.src.Check.Target; check != nil {
			if err := check(*to); err != nil {
				s.r.fail(n, "%s", err)
			}
		}
	}
}

// maxLoggedFields bounds the fields of one line.
const maxLoggedFields = 32

// readNames reads a list of field names.
func readNames(s *section, name string, into *[]string) {
	s.oneOrEach(name, func(item *node) {
		var one string
		if !parseNode(s.r, item, &one, parseFieldName) {
			return
		}
		if slices.ContainsFunc(*into, func(other string) bool { return field.EqualFold(one, other) }) {
			s.r.fail(item, "%s is listed twice; remove one", one)
			return
		}
		*into = append(*into, one)
	})
	if len(*into) > maxLoggedFields {
		s.failField(name, "has more than %d names", maxLoggedFields)
	}
}
