package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/journal/durable"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
)

// openJournal opens the journal in the data directory, which is made where it is
// not there yet; without one, in memory.
func openJournal(cfg *config.Config) (*durable.Journal, error) {
	c := durable.Config{Items: control.Items, Owner: fmt.Sprintf("%s, process %d", cfg.Node.Name, os.Getpid())}
	if dir := cfg.Node.DataDir; dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("node.data_dir: %w", err)
		}
		fs, err := vfs.OS(filepath.Join(dir, "journal"))
		if err != nil {
			return nil, fmt.Errorf("node.data_dir: %w", err)
		}
		c.FS = fs
	}
	j, err := durable.Open(c)
	var locked *vfs.LockedError
	if errors.As(err, &locked) {
		return nil, fmt.Errorf("node.data_dir: another process uses it: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("node.data_dir: %w", err)
	}
	return j, nil
}

// maintainEvery is how often the journal drops what need not be kept.
const maintainEvery = 5 * time.Second

func (a *App) maintainJournal(ctx context.Context) {
	ticker := time.NewTicker(maintainEvery)
	defer ticker.Stop()
	failing, ancient := false, uint64(0)
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		switch err := a.journal.Maintain(); {
		case err != nil && !failing:
			a.log.Error("the journal cannot be written; purges are in force and would not survive a crash", "error", err)
		case err == nil && failing:
			a.log.Info("the journal can be written again")
		}
		st := a.journal.Stats()
		failing = st.Failing != nil
		if ancient == 0 && st.Ancient > 0 {
			a.log.Error("entries of another node are refused because they look weeks old: compare the clocks of the nodes", "entries", st.Ancient)
		}
		ancient = st.Ancient
	}
}

func (a *App) closeJournal() {
	if err := a.journal.Close(); err != nil && !errors.Is(err, durable.ErrClosed) {
		a.log.Error("the journal could not be written at the end", "error", err)
	}
}

func (a *App) closeCluster() {
	if a.cluster == nil {
		return
	}
	if err := a.cluster.Close(); err != nil {
		a.log.Warn("the cluster's sockets could not be closed", "error", err)
	}
}
