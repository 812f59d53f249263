package control

import (
	"errors"
	"fmt"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Why a call is turned down. Errors wrap one of these, a *LimitedError or
// purge.ErrBadSelector; their texts may be shown to the caller and hold no
// secret.
var (
	// ErrUnauthenticated is returned for a token that is not known, and without
	// a token where the caller's address does not stand in for one.
	ErrUnauthenticated = errors.New("the credentials are missing or invalid")
	// ErrTokenExpired is returned for a token that was good until it expired. It
	// wraps ErrUnauthenticated.
	ErrTokenExpired = fmt.Errorf("%w: the token has expired", ErrUnauthenticated)
	// ErrTokensUnknown is returned for a token that is not configured, on a node
	// that has just started and has not heard from its cluster which tokens are
	// good. It is to be tried again, here in some seconds, or elsewhere.
	ErrTokensUnknown = fmt.Errorf("%w: the node has not heard from its cluster yet which tokens are good; try again in some seconds, or see with /readyz what keeps it", ErrUnavailable)
	// ErrForbidden is returned for a token that is known and lacks the scope or
	// the service.
	ErrForbidden = errors.New("not allowed with this token")
	// ErrUnknownService is returned where nothing configured has that id or
	// that host, and where neither was given and there are several services.
	ErrUnknownService = errors.New("unknown service")
	// ErrUnknownPurge is returned for an id without a receipt on this node, nor,
	// where others are asked, on one of them: it
	// was never given out, or it is older than the receipts that are kept.
	ErrUnknownPurge = errors.New("unknown purge")
	// ErrTooManyKeys is returned for more than purge.MaxKeys selectors.
	ErrTooManyKeys = errors.New("too many selectors in one purge")
	// ErrBadRequest is returned for what is wrong with a request apart from its
	// selectors.
	ErrBadRequest = errors.New("bad request")
	// ErrTooLate is returned by Revert once the undo window has passed or the
	// purge's effects have merged with those of others.
	ErrTooLate = errors.New("too late to revert")
	// ErrKeyReused is returned for an idempotency key that the caller has used
	// for another purge.
	ErrKeyReused = errors.New("this idempotency key was used for another purge")
	// ErrUnknownToken is returned for an id that no token has that was created at
	// run time and that the caller may manage.
	ErrUnknownToken = errors.New("unknown token")
	// ErrTokenConflict is returned by CreateToken where the name is taken, or
	// there are MaxTokens already.
	ErrTokenConflict = errors.New("the token cannot be created")
	// ErrNoDataDir is returned by CreateToken on a node that has nowhere to keep
	// tokens.
	ErrNoDataDir = errors.New("tokens cannot be kept: the node has no data directory")
	// ErrNotSaved is returned where something is in force on this node and could
	// not be written to its disk, so that it may not survive a crash.
	ErrNotSaved = errors.New("it is in force on this node, but could not be written to disk")
	// ErrBusy is returned where purges come faster than the node can pass them on.
	// Nothing was applied.
	ErrBusy = errors.New("too many purges wait to be passed on")
	// ErrUnavailable is returned where nothing can be recorded, because the node
	// stops or its disk takes nothing, and is wrapped by ErrTokensUnknown. Nothing
	// was applied.
	ErrUnavailable = errors.New("the node cannot do that now")
)

// LimitedError is returned while purges come faster than one of a service's
// Limits. Nothing was applied.
type LimitedError struct {
	RetryAfter time.Duration // until the same request would be accepted
	Limit      string        // which, for people: "purges of the service a second"
}

func (e *LimitedError) Error() string {
	return fmt.Sprintf("too many %s; retry in %v", e.Limit, e.RetryAfter)
}

// Seconds returns RetryAfter in whole seconds, rounded up.
func (e *LimitedError) Seconds() int64 {
	return int64((e.RetryAfter + time.Second - 1) / time.Second)
}

// reasonOf maps an error of this package to the fixed set that events carry.
func reasonOf(err error) event.DeniedReason {
	var limited *LimitedError
	switch {
	case errors.Is(err, ErrTokenExpired):
		return event.DeniedExpired
	case errors.Is(err, ErrUnauthenticated), errors.Is(err, ErrTokensUnknown):
		return event.DeniedUnauthenticated
	case errors.Is(err, ErrForbidden):
		return event.DeniedForbidden
	case errors.Is(err, ErrUnknownService):
		return event.DeniedUnknownService
	case errors.Is(err, ErrUnknownPurge):
		return event.DeniedUnknownPurge
	case errors.Is(err, ErrTooManyKeys):
		return event.DeniedTooMany
	case errors.Is(err, ErrTooLate):
		return event.DeniedTooLate
	case errors.Is(err, ErrKeyReused):
		return event.DeniedKeyReused
	case errors.Is(err, ErrUnknownToken):
		return event.DeniedUnknownToken
	case errors.Is(err, ErrNotSaved):
		return event.DeniedNotSaved
	case errors.As(err, &limited):
		return event.DeniedLimited
	}
	return event.DeniedInvalid
}

// badHost says that a selector's host cannot have objects of the service.
func badHost(host, service string) error {
	return fmt.Errorf("%w: %q is not a domain of service %q", purge.ErrBadSelector, host, service)
}
