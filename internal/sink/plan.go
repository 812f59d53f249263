package sink

import (
	"os"
	"time"
)

// How long lines gather before they leave. It saves a system call, or a
// request, for each; nobody who follows a log notices.
const (
	lingerLocal   = 20 * time.Millisecond
	lingerSyslog  = 50 * time.Millisecond
	lingerWebhook = time.Second
)

// plan is what a target needs.
type plan struct {
	out    output
	frames framer
	linger time.Duration
}

// plan builds the output of the target. Errors between attempts, after which
// the output goes on, are given to failed.
func (c *Config) plan(failed func(error)) (plan, error) {
	t := c.To
	switch t.kind {
	case kindStdout:
		out, err := newStdout(c.Stdout)
		return plan{out, lineFrames{}, lingerLocal}, err
	case kindFile:
		out, err := newFile(t.path)
		return plan{out, lineFrames{}, lingerLocal}, err
	case kindWebhook:
		return plan{newWebhook(t, c, failed), lineFrames{}, lingerWebhook}, nil
	case kindUDP:
		return plan{newDatagrams(t, c), newSyslogFrames(t, c.hostname(), false), lingerSyslog}, nil
	}
	out, err := newStream(t, c, failed)
	return plan{out, newSyslogFrames(t, c.hostname(), true), lingerSyslog}, err
}

func (c *Config) hostname() string {
	if c.Hostname != "" {
		return c.Hostname
	}
	name, err := os.Hostname()
	if err != nil {
		return "-" // RFC 5424 section 6.2.4 allows for not knowing
	}
	return name
}
