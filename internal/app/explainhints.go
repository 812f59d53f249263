package app

import (
	"fmt"
	"slices"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/store"
)

// hint tells what most often stands between a purge and what somebody sees.
func (x *explaining) hint(target, keyed field.Target) {
	e, svc := x.out, x.svc
	add := func(code api.HintCode, text, next string) {
		e.Hints = append(e.Hints, api.Hint{Code: code, Text: text, Next: next})
	}
	if keyed != target {
		add(api.HintQueryRule, "The service's rule for queries ("+e.QueryRule+") makes it "+keyed.String()+".", "")
	}
	var keys []string
	for _, v := range e.Variants {
		keys = append(keys, v.Keys...)
	}
	missed := false
	if t, near := x.a.control.NearKey(svc.config.ID, keys); near {
		missed = true
		add(api.HintKeyCase, fmt.Sprintf("The key %q was purged (%s); what is stored has it in other letters. Keys are case-sensitive.", t.Selector.Key, t.Receipt.ID),
			"purge by the key as the response has it")
	}
	if t, near := x.a.control.NearURL(svc.config.ID, target); near {
		missed = true
		add(api.HintURLCase, "A purge named "+t.Selector.String()+", which differs in case or a final slash.", "purge the URL as it is requested")
	}
	if x.best != nil && !x.best.Is(store.Uncacheable) && len(keys) == 0 {
		add(api.HintNoKeys, "What is stored carries no surrogate keys, so no purge by key takes it.", "let the origin send Surrogate-Key")
	}
	x.hintIgnoredKeys(add)
	if x.best == nil && len(x.heads) > 0 {
		add(api.HintVariant, "Other variants are stored than the one asked for.", "give the request fields that Vary names")
	}
	x.hintStaleness(add, missed)
	if e.LastPurge != nil && e.LastPurge.Reverted {
		add(api.HintReverted, "The last purge that named it ("+e.LastPurge.ID+") was taken back.", "")
	}
	x.hintShield(add, keyed)
	if !slices.ContainsFunc(svc.pool.Status(), func(o origin.OriginStatus) bool { return o.State.Usable() }) {
		add(api.HintOrigin, "No origin of the service is healthy.", "see rescind status")
	}
	if other := otherScheme(target); x.asked.Scheme != "" && len(x.heads) == 0 && len(x.a.stored(x.keyOf(other))) > 0 {
		add(api.HintAnotherScheme, "It is stored as "+other.String()+".", "a purge of the URL without a scheme takes both, as do PURGE and rescind purge --url")
	}
	if svc.config.Cache.RequestDirectives == config.DirectivesObey && x.request.Has("Cache-Control") {
		add(api.HintRequestField, "The request's Cache-Control counts (request_directives: obey).", "")
	}
}

// hintIgnoredKeys says that what is stored has keys by which it is not found.
func (x *explaining) hintIgnoredKeys(add func(api.HintCode, string, string)) {
	for _, v := range x.out.Variants {
		if v.KeysIgnored > 0 {
			add(api.HintKeysIgnored, fmt.Sprintf("%d of its surrogate keys do not count: they are over a limit of their header, or not printable. Purges by them do not take it.", v.KeysIgnored),
				"let the origin send the rest in a second header, and list that in purge.tag_headers")
			return
		}
	}
}

// hintStaleness says what the state of the stored response hides. missed tells
// that a purge is known that meant it and missed it, which explains more.
func (x *explaining) hintStaleness(add func(api.HintCode, string, string), missed bool) {
	for _, v := range x.out.Variants {
		if !v.Matches {
			continue
		}
		if v.State == api.VariantStale && v.StaleUntil != nil {
			code, why := api.HintStaleServed, "Its life is over"
			if v.Purge != nil {
				code, why = api.HintSoftPurge, "A soft purge ("+v.Purge.ID+") made it stale"
			}
			add(code, why+"; it may be served stale until "+v.StaleUntil.UTC().Format(time.RFC3339)+".", "purge hard to withdraw it at once")
		}
		if v.State == api.VariantUncacheable {
			add(api.HintUncacheable, "The origin's last response could not be stored.", "see Cache-Status of a response for the reason")
		}
		if p := x.out.LastPurge; !missed && p != nil && v.State == api.VariantFresh && v.Purge == nil && !p.Reverted {
			add(api.HintRefetched, "It was fetched again after the newest purge: it is what the origin sends now.", "look at the origin")
		}
	}
}

func otherScheme(t field.Target) field.Target {
	if t.Scheme == "https" {
		t.Scheme = "http"
	} else {
		t.Scheme = "https"
	}
	return t
}
