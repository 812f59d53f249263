package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rescind-edge/rescind/api"
)

const rescindName = "Rescind"

// serviceID is the service of Rescind that everything belongs to.
const serviceID = "bench"

const rescindConfig = `node: {name: bench, pop: bench}
listen:
  http: "%s"
  https: {address: "%s", cert: "%s", key: "%s"}
  admin: "%s"
storage: {memory: %dB}
access_log: [{to: "file:%s", format: combined}]
services:
  - id: ` + serviceID + `
    domains: ["*"]
    origins: [{url: "http://%s"}]
    purge: {limits: off, undo_window: %v}
`

// startRescind runs a node. Of its defaults only the limits of purges, the
// memory and the access log are changed.
func startRescind(l *lab, set settings) (*server, error) {
	ports, err := freeAddresses(3)
	if err != nil {
		return nil, err
	}
	dir, err := l.serverDir("rescind")
	if err != nil {
		return nil, err
	}
	if set.undoWindow == 0 {
		set.undoWindow = time.Minute // the default
	}
	s := &server{name: rescindName, dir: dir, http: ports[0], h2: ports[0], https: ports[1], accessLog: filepath.Join(dir, "access.log")}
	config := filepath.Join(dir, "rescind.yaml")
	text := fmt.Sprintf(rescindConfig, ports[0], ports[1], l.cert, l.key, ports[2], set.memory, s.accessLog, l.originAt, set.undoWindow)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	how := spawn{name: "rescind", args: []string{l.plan.binary, "serve", "--config", config}}
	if set.gcTrace {
		how.env = []string{"GODEBUG=gctrace=1"}
	}
	s.purging = &purging{address: ports[2], request: rescindPurge}
	s.fill = func() (filling, error) { return rescindFilling(ports[2]) }
	s.undo = func() error { return undoRescind(ports[2]) }
	return s, l.launch(s, how)
}

func rescindPurge(keys ...string) purgeRequest {
	body, err := json.Marshal(api.Purge{Service: serviceID, Keys: keys})
	if err != nil {
		panic(err) // strings cannot fail
	}
	return purgeRequest{
		method: "POST", path: api.PathPurges, fields: []string{"Content-Type: application/json"}, body: string(body),
	}
}

func rescindFilling(admin string) (filling, error) {
	c, err := dial(admin)
	if err != nil {
		return filling{}, err
	}
	defer c.Close()
	a, err := c.get(api.PathStatus)
	if err != nil {
		return filling{}, err
	}
	var status api.Status
	if err := json.Unmarshal(a.body, &status); err != nil {
		return filling{}, fmt.Errorf("%s of %s: %w", api.PathStatus, rescindName, err)
	}
	return filling{objects: status.Store.Objects, bytes: status.Store.Bytes, evicted: int64(status.Store.Evicted)}, nil
}

// undoRescind takes the last purge back.
func undoRescind(admin string) error {
	c, err := dial(admin)
	if err != nil {
		return err
	}
	defer c.Close()
	a, err := c.get(api.PathPurges + "?" + api.QueryLimit + "=1")
	if err != nil {
		return err
	}
	var list api.List
	if err := json.Unmarshal(a.body, &list); err != nil || len(list.Purges) != 1 {
		return fmt.Errorf("%s of %s has status %d and no purge: %w", api.PathPurges, rescindName, a.status, err)
	}
	return revertRescind(c, list.Purges[0].ID)
}
