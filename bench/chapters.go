package main

// chapter is one group of measurements, on servers of its own.
type chapter struct {
	name    string // for -only
	measure func(*lab) error
}

const (
	chapterFull = "full"
	chapterHuge = "huge"
	// by a flag of their own: they take too long, or too much
	chapterChurn = "churn"
)

// chapters are in the order of the report.
var chapters = []chapter{
	{"hits", measureHits},
	{"handed", measureHanded},
	{"h2", measureHTTP2},
	{"tls", measureTLS},
	{"miss", measureMisses},
	{"latency", measureLatency},
	{"purge", measurePurges},
	{chapterFull, measureFull},
	{chapterHuge, measureHuge},
	{chapterChurn, measureChurn},
}

func chapterNames() []string {
	var names []string
	for _, c := range chapters {
		names = append(names, c.name)
	}
	return names
}
