package native

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
)

// Cluster is the cluster as this API shows it. Its methods are called from many
// goroutines, after the caller was found to be allowed. Their errors wrap one of
// those below.
type Cluster interface {
	Members() (api.Cluster, error)
	// Keys asks every member. It returns no later than some seconds after ctx
	// ends.
	Keys(ctx context.Context) (api.ClusterKeys, error)
	// Forget takes a member out of the cluster for good.
	Forget(ctx context.Context, name string) error
	// Leave takes this node out of the cluster for good. Whatever it has stored is
	// not served any more when Leave returns, not even if it fails.
	Leave(ctx context.Context) (api.ClusterStatus, error)
}

// Errors of a Cluster.
var (
	// ErrNoCluster is returned on a node that is alone.
	ErrNoCluster = errors.New("this node belongs to no cluster")
	// ErrUnknownMember is returned for a name that no member has.
	ErrUnknownMember = errors.New("no member has this name")
	// ErrMemberAlive is returned by Forget for a member that answers.
	ErrMemberAlive = errors.New("the member is alive")
	// ErrNotRecorded is returned where a change could not be recorded so that it
	// lasts.
	ErrNotRecorded = errors.New("the change could not be recorded")
)

func (h handler) members(w http.ResponseWriter, _ *http.Request, c call) error {
	if err := h.seesAll(c.creds); err != nil {
		return err
	}
	members, err := h.Cluster.Members()
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, members)
	return nil
}

func (h handler) keys(w http.ResponseWriter, r *http.Request, c call) error {
	if err := h.seesAll(c.creds); err != nil {
		return err
	}
	keys, err := h.Cluster.Keys(r.Context())
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, keys)
	return nil
}

func (h handler) forget(w http.ResponseWriter, r *http.Request, c call) error {
	if err := h.managesAll(c.creds); err != nil {
		return err
	}
	if err := h.Cluster.Forget(r.Context(), c.id); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h handler) leave(w http.ResponseWriter, r *http.Request, c call) error {
	if err := h.managesAll(c.creds); err != nil {
		return err
	}
	status, err := h.Cluster.Leave(r.Context())
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, status)
	return nil
}

// seesAll allows the node's own host, and tokens with global or global:read that
// are for all services.
func (h handler) seesAll(creds control.Credentials) error {
	reader, err := h.Control.Watcher(creds)
	if err == nil && !reader.May("") {
		err = fmt.Errorf("%w: it is not for all services, and the cluster belongs to all", control.ErrForbidden)
	}
	return err
}

// managesAll allows tokens with global that are for all services, and the node's
// Unix socket: a loopback port is open to every program of the host.
func (h handler) managesAll(creds control.Credentials) error {
	err := h.Control.MayManageTokens(creds) // the same callers
	switch {
	case errors.Is(err, control.ErrTokenExpired):
		return err
	case errors.Is(err, control.ErrUnauthenticated):
		return fmt.Errorf("%w: changing the cluster needs a token with the scope %v, or the node's Unix socket", control.ErrUnauthenticated, control.Global)
	case errors.Is(err, control.ErrForbidden):
		return fmt.Errorf("%w: changing the cluster needs %v", control.ErrForbidden, control.Global)
	case err != nil:
		return err
	}
	return h.seesAll(creds)
}
