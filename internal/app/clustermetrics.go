package app

import (
	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/metrics"
)

func (a *App) journalMetrics() metrics.Journal {
	st, made := a.journal.Stats(), a.control.Stats()
	return metrics.Journal{
		Entries: st.Entries, Bytes: st.Bytes, Issuers: st.Rows, Items: st.Items, Pending: st.Pending,
		Failing: st.Failing != nil, Received: made.Received, Lost: made.Gaps,
	}
}

func (a *App) clusterMetrics() metrics.Cluster {
	h, st := a.cluster.Health(), a.cluster.Stats()
	m := metrics.Cluster{
		Ready: h.Readiness == cluster.Ready, Isolated: h.Isolated, Heard: h.Fresh, Majority: h.Majority,
		States:  map[string]int{},
		Entries: st.Spread.Entries, Retransmitted: st.Spread.Retransmits, Repaired: st.Repaired, Supplied: st.Supplied,
		Backlog: st.Backlog, SentPackets: st.SentPackets, SentBytes: st.SentBytes, Gaps: st.Gaps,
		Exchanges: st.Exchanges, ExchangeErrors: st.ExchangeErrors, NamesRefused: st.NamesRefused,
		Packets: map[string]uint64{"malformed": st.Malformed}, Streams: st.Streams,
		Propagation: make(map[string]metrics.Histogram, len(st.Propagation)),
	}
	for reason, n := range st.Packets {
		if reason != packetOpened {
			m.Packets[reason] = n
		}
	}
	for _, state := range []cluster.MemberState{cluster.MemberSelf, cluster.MemberAlive, cluster.MemberAbsent, cluster.MemberNew} {
		m.States[state.String()] = 0
	}
	for _, one := range a.cluster.Members() {
		m.States[one.State.String()]++
		if one.State == cluster.MemberSelf {
			continue
		}
		m.Members = append(m.Members, metrics.Member{
			Name: one.Name, POP: one.POP, RTT: one.RTT.Seconds(), Heard: one.Heard.Seconds(), Behind: one.Behind,
		})
	}
	for pop, h := range st.Propagation {
		m.Propagation[pop] = metrics.Histogram{Bounds: propagationBounds(), Counts: h.Counts[:], Sum: h.Sum.Seconds()}
	}
	return m
}

// packetOpened is what the cluster calls a packet that it took.
const packetOpened = "opened"

func propagationBounds() (seconds []float64) {
	for _, bound := range cluster.PropagationBounds {
		seconds = append(seconds, bound.Seconds())
	}
	return seconds
}
