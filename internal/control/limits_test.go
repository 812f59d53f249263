package control

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/purge"
)

// ask purges n keys of a service.
func (n *node) ask(t *testing.T, creds Credentials, service string, keys int) error {
	t.Helper()
	_, err := n.Purge(creds, Request{Service: service, Selectors: slicesOf(t, keys)})
	return err
}

func (n *node) askAll(creds Credentials, service string) error {
	_, err := n.Purge(creds, Request{Service: service, Selectors: []purge.Selector{purge.All()}})
	return err
}

// wantLimited checks that a call was limited, and for how long.
func wantLimited(t *testing.T, err error, wait time.Duration) {
	t.Helper()
	var limited *LimitedError
	if !errors.As(err, &limited) || limited.RetryAfter != wait {
		t.Fatalf("over the limit: %v; want a wait of %v", err, wait)
	}
}

func TestLimitOfKeys(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Limits.PerHour = 3600 })
	deploy := with(stranger, "deploy-secret")
	for range 18 {
		if err := n.ask(t, deploy, "shop", 200); err != nil {
			t.Fatalf("within the limit: %v", err)
		}
	}
	wantLimited(t, n.ask(t, deploy, "shop", 200), 200*time.Second)
	for name, creds := range map[string]Credentials{"another token": with(stranger, "editor-secret"), "the node's own host": here, "an allowed address": onData(office)} {
		if err := n.ask(t, creds, "shop", 200); err != nil {
			t.Errorf("%s pays for it: %v", name, err)
		}
	}
	if err := n.askAll(deploy, "shop"); err != nil {
		t.Errorf("purges of everything are counted with keys: %v", err)
	}
	if err := n.Reconfigure(n.cfg); err != nil {
		t.Fatal(err)
	}
	wantLimited(t, n.ask(t, deploy, "shop", 200), 200*time.Second) // a reload fills nothing up
	n.clock = n.clock.Add(200 * time.Second)
	if err := n.ask(t, deploy, "shop", 200); err != nil {
		t.Errorf("after the time that was told: %v", err)
	}
	if s := n.Stats(); s.Limited != 2 {
		t.Errorf("stats %+v", s)
	}
}

func TestLimitOfAll(t *testing.T) {
	n := newNode(t)
	root := with(stranger, "root-secret")
	for range DefaultAllPerHour {
		if err := n.askAll(root, "shop"); err != nil {
			t.Fatal(err)
		}
	}
	wantLimited(t, n.askAll(root, "shop"), 3600*time.Millisecond)
	if err := errors.Join(n.ask(t, root, "shop", 256), n.askAll(root, "blog")); err != nil {
		t.Errorf("keys, or another service, pay for purges of everything: %v", err)
	}
	if _, err := n.Purge(root, Request{Service: "shop", Selectors: append(slicesOf(t, 3), path(t, "/"))}); err == nil {
		t.Error("everything, spelt as a path among keys, got around the limit")
	}
}

func TestSmallLimitOfAll(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Limits.AllPerHour = 2 })
	if err := errors.Join(n.askAll(here, "shop"), n.askAll(here, "shop")); err != nil {
		t.Fatal(err)
	}
	wantLimited(t, n.askAll(here, "shop"), 30*time.Minute)
}

func TestDefaultLimitOfKeys(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Limits.PerSecond = -1 })
	accepted := 0
	for n.ask(t, here, "shop", 250) == nil {
		accepted += 250
	}
	if accepted != DefaultPerHour {
		t.Errorf("%d keys in one hour", accepted)
	}
}

// TestLimitOfEngine has many callers, none of which is limited.
func TestLimitOfEngine(t *testing.T) {
	n := newNode(t, func(c *Config) {
		c.Limits = Limits{PerHour: -1, AllPerHour: -1, PerSecond: 100}
		c.Services[1].AllowFrom = c.Services[0].AllowFrom
	})
	for range burstSeconds / 4 {
		for _, creds := range []Credentials{here, with(stranger, "deploy-secret"), with(stranger, "editor-secret"), onData(office)} {
			if err := n.ask(t, creds, "shop", 100); err != nil {
				t.Fatal(err)
			}
		}
	}
	wantLimited(t, n.ask(t, with(stranger, "root-secret"), "shop", 100), time.Second)
	if err := n.ask(t, here, "blog", 100); err != nil {
		t.Errorf("another service pays for it: %v", err)
	}
}

func TestLimitsOfOneService(t *testing.T) {
	n := newNode(t, func(c *Config) {
		c.Limits.PerHour = 256
		c.Services[0].Limits = Limits{PerHour: -1}
		c.Services[1].AllowFrom = c.Services[0].AllowFrom
	})
	for range 10 {
		if err := n.ask(t, here, "shop", 256); err != nil {
			t.Fatalf("a service without the limit: %v", err)
		}
	}
	if err := n.ask(t, here, "blog", 256); err != nil {
		t.Fatal(err)
	}
	if err := n.ask(t, here, "blog", 1); err == nil {
		t.Error("the limit of all services does not hold for one without its own")
	}
	n.cfg.Services[1].Limits = Limits{PerHour: 3600 * 256}
	if err := n.Reconfigure(n.cfg); err != nil {
		t.Fatal(err)
	}
	n.clock = n.clock.Add(time.Second)
	if err := n.ask(t, here, "blog", 256); err != nil {
		t.Errorf("a raised limit: %v", err)
	}
}

func TestRefusedPurgesCostNothing(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Limits.PerHour = 256 })
	for range 5 {
		if err := n.ask(t, with(stranger, "watcher-secret"), "shop", 200); !errors.Is(err, ErrForbidden) {
			t.Fatal(err)
		}
		if _, err := n.Purge(here, Request{Service: "shop", Selectors: slicesOf(t, 257)}); !errors.Is(err, ErrTooManyKeys) {
			t.Fatal(err)
		}
	}
	if err := n.ask(t, here, "shop", 256); err != nil {
		t.Error(err)
	}
	for range 5 { // what is refused for the limit is not taken either
		wantLimited(t, n.ask(t, here, "shop", 256), time.Hour)
	}
}

func TestAllowance(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Services[2].Limits = noLimits })
	editor := with(stranger, "editor-secret")
	if err := n.ask(t, editor, "shop", 100); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		creds   Credentials
		service string
		all     bool
		want    Allowance
	}{
		"used":            {editor, "shop", false, Allowance{DefaultPerHour - 100, n.clock.Add(3600 * time.Millisecond)}},
		"not used":        {here, "shop", false, Allowance{DefaultPerHour, n.clock}},
		"of everything":   {editor, "shop", true, Allowance{DefaultAllPerHour, n.clock}},
		"unknown service": {editor, "nobody", false, Allowance{DefaultPerHour, n.clock}},
		"no limit":        {with(stranger, "root-secret"), "locked", false, Allowance{Unlimited, n.clock}},
		"nobody":          {with(stranger, "wrong-secret"), "shop", false, Allowance{0, n.clock}},
		"no token":        {stranger, "shop", false, Allowance{0, n.clock}},
	} {
		if got := n.Allowance(tc.creds, tc.service, tc.all); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
	if n.Control.local.lastUsed() != (time.Time{}) || n.cfg.Tokens[1].account != nil {
		t.Error("asking for an allowance counts as use")
	}
}

func TestLimitsHoldAtOnce(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Limits.PerHour = 1000 })
	var all sync.WaitGroup
	var mu sync.Mutex
	accepted := 0
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				_, err := n.Purge(here, Request{Service: "shop", Selectors: []purge.Selector{
					key(t, fmt.Sprint(i)), key(t, fmt.Sprint(j)), url(t, "www.example.com/"),
				}})
				if err == nil {
					mu.Lock()
					accepted += 3
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if accepted != 999 {
		t.Errorf("%d purges were accepted, want 999 of a limit of 1000", accepted)
	}
}
