package config

import "time"

func (r *reader) readLimits(top *section) {
	limits := &r.config.Limits
	*limits = Limits{
		HeaderBytes:   64 << 10,
		URLBytes:      8 << 10,
		HeaderFields:  128,
		HeaderTimeout: 10 * time.Second,
		IdleTimeout:   75 * time.Second,
		WriteTimeout:  30 * time.Second,
		BodyTimeout:   60 * time.Second,
		Connections:   16 << 10,
	}
	top.section("limits", func(s *section) {
		s.size("header_bytes", &limits.HeaderBytes, 1<<10)
		s.size("url_bytes", &limits.URLBytes, 64)
		s.integer("header_fields", &limits.HeaderFields, 8, 10_000)
		s.duration("header_timeout", &limits.HeaderTimeout, time.Millisecond)
		s.duration("idle_timeout", &limits.IdleTimeout, time.Millisecond)
		s.duration("write_timeout", &limits.WriteTimeout, time.Millisecond)
		s.duration("body_timeout", &limits.BodyTimeout, time.Millisecond)
		s.integer("connections", &limits.Connections, 1, maxConnections)
		s.integer("connections_per_address", &limits.ConnectionsPerAddress, 0, maxConnections)
		s.size("body_bytes", &limits.BodyBytes, 0)
		if limits.HeaderBytes > maxHeaderBytes {
			s.failField("header_bytes", "%s is more than %s, the most that a connection may hold; lower it", limits.HeaderBytes, Size(maxHeaderBytes))
		}
		if limits.URLBytes > limits.HeaderBytes {
			s.failField("url_bytes", "%s is more than header_bytes (%s), of which the URL is a part; lower it or raise header_bytes",
				limits.URLBytes, limits.HeaderBytes)
		}
	})
}

// maxHeaderBytes is the most that limits.header_bytes may be: what the server
// in front can hold for one connection.
const maxHeaderBytes = 256 << 10

// maxConnections is above what one host can hold, so that a slip of the finger
// is noticed.
const maxConnections = 10_000_000
