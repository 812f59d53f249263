package config

import "time"

// topLevel are the sections of a file.
var topLevel = []string{
	"node", "listen", "cluster", "storage", "limits", "drain_delay", "drain_timeout", "log", "access_log", "purge_log", "metrics", "stackpath", "services", "tokens",
}

// notAvailable answers settings that are understood but without effect yet: to
// ignore them would promise what does not happen.
const notAvailable = "is not available in this version; remove it"

// readConfig reads the whole tree. The order matters where one section is
// checked against another: storage and limits before services, services before tokens.
func (r *reader) readConfig(root *node) {
	r.config.DrainTimeout = 30 * time.Second
	r.section(root, func(s *section) {
		r.readNode(s)
		r.readCluster(s)
		r.readListen(s)
		r.readStorage(s)
		r.readLimits(s)
		s.duration("drain_delay", &r.config.DrainDelay, 0)
		s.duration("drain_timeout", &r.config.DrainTimeout, 0)
		r.readLog(s)
		r.readAccessLog(s)
		r.readPurgeLog(s)
		r.readMetrics(s)
		r.readStackPath(s)
		r.readServices(s)
		r.readTokens(s)
		s.refuse("tracing")
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
