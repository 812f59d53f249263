package app

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rescind-edge/rescind/internal/admin"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/dialect/native"
)

// Limits of the admin listener. A bulk purge carries its keys in one header
// field with some clients: 300 keys of the greatest length.
const (
	adminTimeout     = 30 * time.Second
	adminHeaderBytes = 512 << 10
)

func (a *App) adminHandler() http.Handler {
	door := a.door(admin.Client)
	cfg := admin.Config{
		Ready: a.ready, Standing: a.standing,
		Native: native.New(native.Config{
			Door: door, Status: a.Status, Explain: a.explain, Tail: a.tailLog, Top: a.top,
			Confirmations: a.confirmations, Cluster: roster{a},
		}),
	}
	a.openAdminDoors(&cfg, door)
	if a.began.Metrics.Enabled {
		cfg.Metrics = admin.Guard(door, a.views.metrics.Handler())
	}
	return admin.New(cfg)
}

// door is what the handlers of purge APIs need, whose requests come from client.
func (a *App) door(client func(*http.Request) control.Credentials) dialect.Door {
	return dialect.Door{Control: a.control, Client: client, WaitAtMost: a.began.Cluster.WaitAtMost, DurableOn: a.began.Cluster.DurableOn}
}

func (a *App) ready() error {
	if a.down.Load() {
		return errors.New("draining")
	}
	return a.clusterReady()
}

// standing says how the node stands to its cluster, for /readyz; "" where it is
// alone.
func (a *App) standing() string {
	if a.cluster == nil {
		return ""
	}
	st, isolated := a.clusterStatus(), ""
	if st.Isolated {
		isolated = "isolated, "
	}
	return fmt.Sprintf("cluster: %s%s, hears %d of %d members, needs %d; what is stored is %s",
		isolated, st.State, st.Heard, st.Roster, st.Majority, st.Stored)
}
