package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/dialect/native"
)

// topicKeys asks a member by which names it knows the cluster's secrets.
const topicKeys = "keys"

// rotateKeys takes up other secrets of the cluster. On an error the old ones stay.
func (a *App) rotateKeys(old, next *config.Config) error {
	if a.cluster == nil || slices.Equal(old.Cluster.Secret, next.Cluster.Secret) || !next.Cluster.Enabled() {
		return nil
	}
	if err := a.cluster.RotateKeys(secrets(next.Cluster.Secret)); err != nil {
		return fmt.Errorf("cluster.secret: %w", err)
	}
	for _, s := range a.mu.services { // the caller holds the lock
		if s.parent != nil {
			s.parent.Renew()
		}
	}
	return nil
}

func (a *App) answerKeys() ([]byte, error) { return json.Marshal(a.cluster.KeyIDs()) }

// Keys implements native.Cluster.
func (r roster) Keys(ctx context.Context) (api.ClusterKeys, error) {
	if r.cluster == nil {
		return api.ClusterKeys{}, native.ErrNoCluster
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answers := make(map[string]cluster.Answer)
	for _, answer := range r.cluster.Query(ctx, cluster.To{}, topicKeys, nil) {
		answers[answer.Member] = answer
	}
	out := api.ClusterKeys{Members: []api.MemberKeys{}}
	for _, m := range r.cluster.Members() {
		one := api.MemberKeys{Member: m.Name, POP: m.POP}
		answer, asked := answers[m.Name]
		switch {
		case m.State == cluster.MemberSelf:
			one.Keys = r.cluster.KeyIDs()
		case !asked, answer.Err != nil:
			one.Error = "it does not answer"
		case json.Unmarshal(answer.Body, &one.Keys) != nil || len(one.Keys) == 0:
			one.Keys, one.Error = nil, "its answer cannot be read"
		}
		out.Members = append(out.Members, one)
	}
	out.Step, out.Next = keyStep(out.Members)
	return out, nil
}

// keyStep says how far a change of secrets has come, and what to do next. What
// could cut members off from each other goes before all else.
func keyStep(list []api.MemberKeys) (step api.KeyStep, next string) {
	var silent []string
	holders, users := map[string][]string{}, map[string][]string{} // of a key: who has it, who uses it
	for _, m := range list {
		if m.Error != "" {
			silent = append(silent, m.Member)
			continue
		}
		users[m.Keys[0]] = append(users[m.Keys[0]], m.Member)
		for _, key := range m.Keys {
			holders[key] = append(holders[key], m.Member)
		}
	}
	told := len(list) - len(silent)
	var uneven []string
	for _, key := range slices.Sorted(maps.Keys(holders)) {
		if len(holders[key]) == told {
			continue
		}
		lacking := without(list, holders[key])
		if who := users[key]; len(who) > 0 {
			return api.KeysApart, fmt.Sprintf("%s: in use on %s, and not known on %s; add it there at once, behind what is there, and reload",
				key, names(who), names(lacking))
		}
		uneven = append(uneven, fmt.Sprintf("%s is known on %s alone: if it is the new secret, add it behind the old one on %s; if it is the old one, remove it",
			key, names(holders[key]), names(lacking)))
	}
	switch {
	case len(silent) > 0:
		return api.KeysUnknown, fmt.Sprintf("%s did not say; remove no secret before they have, or have been forgotten", names(silent))
	case len(uneven) > 0:
		return api.KeysUneven, strings.Join(uneven, "; ")
	case len(users) > 1:
		return api.KeysTurning, "all know the secrets; put the new one first on each member that does not use it yet, and reload: " + usersText(users)
	case len(holders) > 1:
		return api.KeysBoth, "all members know the same secrets and use the first; if that is the new one, remove the others on every member and reload; else put the new one first on every member and reload"
	}
	return api.KeysOne, "nothing; to change the secret, add the new one behind it on every member (cluster.secret: [old, new]) and reload"
}

// without returns the members that told their keys and are not among some.
func without(list []api.MemberKeys, some []string) (rest []string) {
	for _, m := range list {
		if m.Error == "" && !slices.Contains(some, m.Member) {
			rest = append(rest, m.Member)
		}
	}
	return rest
}

func usersText(users map[string][]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(users)) {
		parts = append(parts, key+" is used by "+names(users[key]))
	}
	return strings.Join(parts, ", ")
}

// names lists members for people, who need not read hundreds.
func names(list []string) string {
	const most = 8
	if len(list) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
	}
	return strings.Join(list, ", ")
}
