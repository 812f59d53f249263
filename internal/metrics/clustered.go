package metrics

import "github.com/prometheus/client_golang/prometheus"

// Cluster is how the node stands to its cluster, and what the cluster counts.
type Cluster struct {
	Ready    bool
	Isolated bool
	Heard    int            // members heard lately, this node included
	Majority int            // as many need to be heard
	States   map[string]int // members by state: a fixed set of words
	Members  []Member       // the others

	Entries        uint64 // issued and sent
	Retransmitted  uint64 // batches sent again to one member
	Repaired       uint64 // entries fetched by comparison
	Supplied       uint64 // entries given to who lacked them
	Backlog        int    // bytes that wait to be sent
	SentPackets    uint64
	SentBytes      uint64
	Packets        map[string]uint64 // refused, by reason: a fixed set of words
	Streams        map[string]uint64 // likewise
	Gaps           uint64            // times that entries were given up
	Exchanges      uint64            // comparisons
	ExchangeErrors uint64
	NamesRefused   uint64

	// Propagation has a histogram for each POP.
	Propagation map[string]Histogram
}

// Member is another member of the cluster.
type Member struct {
	Name, POP string
	RTT       float64 // seconds; 0: not known
	Heard     float64 // seconds ago; less than 0: never
	Behind    uint64  // own entries that it has not confirmed
}

// Histogram is one that somebody else keeps.
type Histogram struct {
	Bounds []float64 // seconds
	Counts []uint64  // by bucket; one more than Bounds, for what is above all
	Sum    float64   // seconds
}

// Journal is what the journal holds.
type Journal struct {
	Entries  int
	Bytes    int
	Issuers  int // incarnations that are remembered
	Items    int // of the replicated state
	Pending  int // bytes that wait for the disk
	Failing  bool
	Received uint64 // purges of other nodes that were applied
	Lost     uint64 // times that everything was withdrawn, because entries were lost
}

var (
	clusterReady = definition{"rescind_cluster_ready", gauge, nil,
		"Whether the node knows what the cluster knows: 1, or 0 until it has heard from all members that it can reach and from a majority, and once it leaves"}
	clusterIsolated = definition{"rescind_cluster_isolated", gauge, nil,
		"Whether fewer than a majority of the members have been heard lately: 1 or 0"}
	clusterHeard = definition{"rescind_cluster_heard_members", gauge, nil,
		"Members heard lately, this node included"}
	clusterMajority = definition{"rescind_cluster_majority_members", gauge, nil,
		"Members that are more than half of all"}
	clusterMembers = definition{"rescind_cluster_members", gauge, []string{"state"},
		"Members by how this node sees them: self, alive, absent, or new and not on the roster yet"}
	memberRTT = definition{"rescind_cluster_member_rtt_seconds", gauge, byMember,
		"Round trip to a member"}
	memberHeard = definition{"rescind_cluster_member_heard_age_seconds", gauge, byMember,
		"Time since a member was known to be alive, directly or through others, with all that it knew applied here"}
	memberBehind = definition{"rescind_cluster_member_behind_entries", gauge, byMember,
		"Entries issued here since the start that a member has not confirmed"}
	propagation = definition{"rescind_cluster_propagation_seconds", histogram, []string{"pop"},
		"Time from the acceptance of an entry here until a member of a POP had applied it and had it on disk"}
	clusterEntries = definition{"rescind_cluster_entries_total", counter, nil,
		"Entries issued here and sent: purges, reverts, changes of tokens"}
	clusterRetransmits = definition{"rescind_cluster_retransmissions_total", counter, nil,
		"Batches of entries sent again to a member that did not confirm them"}
	clusterRepaired = definition{"rescind_cluster_repaired_entries_total", counter, nil,
		"Entries that did not arrive by themselves and were fetched after a comparison"}
	clusterSupplied = definition{"rescind_cluster_supplied_entries_total", counter, nil,
		"Entries given to members that fetched them"}
	clusterBacklog = definition{"rescind_cluster_backlog_bytes", gauge, nil,
		"Entries issued here that wait to be sent; past a limit purges are refused with 503"}
	clusterSentPackets = definition{"rescind_cluster_sent_packets_total", counter, nil,
		"Packets sent to other members"}
	clusterSentBytes = definition{"rescind_cluster_sent_bytes_total", counter, nil,
		"Bytes of packets sent to other members"}
	packetsRefused = definition{"rescind_cluster_refused_packets_total", counter, []string{"reason"},
		"Packets that were not opened; an unknown key or a forged packet is somebody without the secret, or with another"}
	streamsRefused = definition{"rescind_cluster_refused_streams_total", counter, []string{"reason"},
		"Connections between members that were refused or failed: open, limit, request; seal and membership are somebody without the secret, or with another"}
	clusterGaps = definition{"rescind_cluster_gaps_total", counter, nil,
		"Times that entries were given up, because no member has them any more: what was stored before is dropped"}
	clusterExchanges = definition{"rescind_cluster_comparisons_total", counter, nil,
		"Comparisons with other members of what is known"}
	clusterExchangeErrors = definition{"rescind_cluster_comparison_failures_total", counter, nil,
		"Comparisons that failed"}
	namesRefused = definition{"rescind_cluster_refused_names_total", counter, nil,
		"Times that a node was kept out because another has its name"}

	journalEntries = definition{"rescind_journal_entries", gauge, nil,
		"Entries kept for members that lack them"}
	journalBytes = definition{"rescind_journal_bytes", gauge, nil,
		"Memory of entries kept"}
	journalIssuers = definition{"rescind_journal_issuers", gauge, nil,
		"Starts of nodes, this one's included, that entries are remembered of"}
	journalItems = definition{"rescind_journal_state_items", gauge, nil,
		"Items of the replicated state: tokens, members, and what remains of removed ones"}
	journalPending = definition{"rescind_journal_pending_bytes", gauge, nil,
		"Bytes that wait for the disk"}
	journalFailing = definition{"rescind_journal_failing", gauge, nil,
		"Whether the last write failed: 1, and then purges are in force and would not survive a crash; or 0"}
	purgesReceived = definition{"rescind_purges_received_total", counter, nil,
		"Purges accepted by other nodes and applied here"}
	purgesLost = definition{"rescind_journal_lost_total", counter, nil,
		"Times that everything stored was withdrawn, because entries were lost for good"}
)

var byMember = []string{"member", "pop"}

// clusterDefinitions and journalDefinitions are in the order of the
// documentation.
func clusterDefinitions() []*definition {
	return []*definition{
		&clusterReady, &clusterIsolated, &clusterHeard, &clusterMajority, &clusterMembers, &memberRTT, &memberHeard, &memberBehind,
		&propagation, &clusterEntries, &clusterRetransmits, &clusterRepaired, &clusterSupplied, &clusterBacklog,
		&clusterSentPackets, &clusterSentBytes, &packetsRefused, &streamsRefused, &clusterGaps, &clusterExchanges,
		&clusterExchangeErrors, &namesRefused,
	}
}

func journalDefinitions() []*definition {
	return []*definition{
		&journalEntries, &journalBytes, &journalIssuers, &journalItems, &journalPending, &journalFailing, &purgesReceived, &purgesLost,
	}
}

func (e emitter) cluster(c Cluster) {
	e.send(&clusterReady, truth(c.Ready))
	e.send(&clusterIsolated, truth(c.Isolated))
	e.send(&clusterHeard, float64(c.Heard))
	e.send(&clusterMajority, float64(c.Majority))
	for state, n := range c.States {
		e.send(&clusterMembers, float64(n), state)
	}
	for _, m := range unique(c.Members, func(m Member) string { return m.Name }) {
		e.member(m)
	}
	for pop, h := range c.Propagation {
		e.histogram(&propagation, h, pop)
	}
	e.send(&clusterEntries, float64(c.Entries))
	e.send(&clusterRetransmits, float64(c.Retransmitted))
	e.send(&clusterRepaired, float64(c.Repaired))
	e.send(&clusterSupplied, float64(c.Supplied))
	e.send(&clusterBacklog, float64(c.Backlog))
	e.send(&clusterSentPackets, float64(c.SentPackets))
	e.send(&clusterSentBytes, float64(c.SentBytes))
	for reason, n := range c.Packets {
		e.send(&packetsRefused, float64(n), reason)
	}
	for reason, n := range c.Streams {
		e.send(&streamsRefused, float64(n), reason)
	}
	e.send(&clusterGaps, float64(c.Gaps))
	e.send(&clusterExchanges, float64(c.Exchanges))
	e.send(&clusterExchangeErrors, float64(c.ExchangeErrors))
	e.send(&namesRefused, float64(c.NamesRefused))
}

func (e emitter) member(m Member) {
	if m.RTT > 0 {
		e.send(&memberRTT, m.RTT, m.Name, m.POP)
	}
	if m.Heard >= 0 {
		e.send(&memberHeard, m.Heard, m.Name, m.POP)
	}
	e.send(&memberBehind, float64(m.Behind), m.Name, m.POP)
}

func (e emitter) journal(j Journal) {
	e.send(&journalEntries, float64(j.Entries))
	e.send(&journalBytes, float64(j.Bytes))
	e.send(&journalIssuers, float64(j.Issuers))
	e.send(&journalItems, float64(j.Items))
	e.send(&journalPending, float64(j.Pending))
	e.send(&journalFailing, truth(j.Failing))
	e.send(&purgesReceived, float64(j.Received))
	e.send(&purgesLost, float64(j.Lost))
}

// histogram shows one that somebody else keeps.
func (e emitter) histogram(d *definition, h Histogram, labels ...string) {
	var total uint64
	buckets := make(map[float64]uint64, len(h.Bounds))
	for i, n := range h.Counts {
		total += n
		if i < len(h.Bounds) {
			buckets[h.Bounds[i]] = total
		}
	}
	m, err := prometheus.NewConstHistogram(e.descs[d], total, h.Sum, buckets, labels...)
	e.to <- valid(e.descs[d], m, err)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
