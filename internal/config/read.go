package config

import "time"

// topLevel are the sections of a file.
var topLevel = []string{"node", "listen", "storage", "limits", "drain_timeout", "log", "services", "tokens"}

// notAvailable answers settings that are understood but without effect yet: to
// ignore them would promise what does not happen.
const notAvailable = "is not available in this version; remove it"

// readConfig reads the whole tree. The order matters where one section is
// checked against another: storage before services, services before tokens.
func (r *reader) readConfig(root *node) {
	r.config.DrainTimeout = 30 * time.Second
	r.section(root, func(s *section) {
		r.readNode(s)
		r.readListen(s)
		r.readStorage(s)
		r.readLimits(s)
		s.duration("drain_timeout", &r.config.DrainTimeout, 0)
		r.readLog(s)
		r.readServices(s)
		r.readTokens(s)
		s.refuse("cluster")
	})
}

// refuse reports a setting that is not available, and does not recommend it to
// those who misspell another.
func (s *section) refuse(name string) {
	if s.has(name) {
		s.known = append(s.known, name)
		s.failField(name, notAvailable)
	}
}

func (r *reader) readNode(top *section) {
	node := &r.config.Node
	node.Name, _ = parseName(r.src.Hostname)
	top.section("node", func(s *section) {
		parsed(s, "name", &node.Name, parseName)
		parsed(s, "pop", &node.POP, parseName)
		s.path("data_dir", &node.DataDir)
	})
	if node.Name == "" {
		r.failFile("node.name is missing, and this host has no usable name to take instead; set it")
	}
	if node.POP == "" {
		node.POP = node.Name
	}
}

func (r *reader) readStorage(top *section) {
	storage := &r.config.Storage
	*storage = Storage{Memory: 256 << 20, MaxVariants: 64}
	top.section("storage", func(s *section) {
		s.size("memory", &storage.Memory, MinMemory)
		s.integer("max_variants", &storage.MaxVariants, 1, 10_000)
		s.refuse("disk")
	})
}

func (r *reader) readLimits(top *section) {
	limits := &r.config.Limits
	*limits = Limits{
		HeaderBytes:   64 << 10,
		URLBytes:      8 << 10,
		HeaderFields:  128,
		HeaderTimeout: 10 * time.Second,
		IdleTimeout:   75 * time.Second,
		WriteTimeout:  30 * time.Second,
		Connections:   16 << 10,
	}
	top.section("limits", func(s *section) {
		s.size("header_bytes", &limits.HeaderBytes, 1<<10)
		s.size("url_bytes", &limits.URLBytes, 64)
		s.integer("header_fields", &limits.HeaderFields, 8, 10_000)
		s.duration("header_timeout", &limits.HeaderTimeout, time.Millisecond)
		s.duration("idle_timeout", &limits.IdleTimeout, time.Millisecond)
		s.duration("write_timeout", &limits.WriteTimeout, time.Millisecond)
		s.integer("connections", &limits.Connections, 1, 10_000_000)
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

func (r *reader) readLog(top *section) {
	log := &r.config.Log
	*log = Log{Level: LogInfo, Format: LogText}
	top.section("log", func(s *section) {
		choice(s, "level", &log.Level, LogDebug, LogInfo, LogWarn, LogError)
		choice(s, "format", &log.Format, LogText, LogJSON)
	})
}
