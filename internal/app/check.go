package app

import (
	"github.com/rescind-edge/rescind/internal/accesslog"
	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/live"
	"github.com/rescind-edge/rescind/internal/sink"
)

// LoadConfig reads a configuration and checks all of it, as a node does.
func LoadConfig(path string) (*config.Config, error) { return config.LoadChecked(path, checks()) }

// checks ask those who will use a value whether they understand it.
func checks() config.Checks {
	return config.Checks{
		Format: func(log config.AccessLog) error {
			_, err := accesslog.Compile(accesslog.Config{
				Format: log.Format, RequestFields: log.Headers.Request, ResponseFields: log.Headers.Response,
			})
			return err
		},
		Filter: func(only string) error {
			_, err := live.ParseFilter(only)
			return err
		},
		Target: func(target string) error {
			_, err := sink.Parse(target)
			return err
		},
	}
}
