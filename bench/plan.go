package main

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// plan is what a run measures, and how long.
type plan struct {
	rounds   int           // of each comparison; the median counts
	duration time.Duration // of one server's turn in a round
	objects  int           // in a full cache
	huge     int           // in a cache of small objects
	only     []string      // names of chapters; nil: all
	long     bool          // with the chapters of a full cache
	withHuge bool
	churn    time.Duration // that objects come and go; 0: not at all
	binary   string        // path of rescind
	output   string        // path of the table; "": standard output alone
	part     string        // of that page, which may have several tables; "": the one without a name
	json     string        // path of the figures; "": none
	command  string        // as it was called
}

const (
	defaultRounds   = 5
	defaultDuration = 4 * time.Second
	defaultObjects  = 1_000_000
	hugeObjects     = 10_000_000

	// leastObjects has groups that are purged, and as many that are not.
	leastObjects = 2 * groupPurges * groupSize

	// Less than a round of 1 s measures how the generators start.
	shortestRound = time.Second
)

func parsePlan(args []string) (plan, error) {
	p := plan{command: strings.Join(append([]string{"go run ./bench"}, args...), " ")}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&p.rounds, "rounds", defaultRounds, "rounds of each comparison; the median counts")
	flags.DurationVar(&p.duration, "duration", defaultDuration, "one server's turn in a round")
	flags.IntVar(&p.objects, "objects", defaultObjects, "objects in a full cache")
	flags.IntVar(&p.huge, "huge-objects", hugeObjects, "small objects in the cache of -huge")
	flags.BoolVar(&p.long, "long", true, "with a full cache: purge, sweeper, memory")
	flags.BoolVar(&p.withHuge, "huge", false, "with a huge number of small objects, which takes some 16 GB")
	flags.DurationVar(&p.churn, "churn", 0, "with objects that come and go for so long; an hour with -only churn")
	quick := flags.Bool("quick", false, "3 rounds of 1 s, and no full cache; for trying the program out")
	only := flags.String("only", "", "names of `chapters`, with commas: "+strings.Join(chapterNames(), ", "))
	flags.StringVar(&p.binary, "rescind", filepath.Join("bin", "rescind"), "the `binary` to measure")
	flags.StringVar(&p.output, "o", "", "also write the table to a `file`; where it has the marks of a table, between these")
	flags.StringVar(&p.part, "part", "", "`name` of the table in the file of -o, where that has several")
	flags.StringVar(&p.json, "json", "", "also write all figures to a `file`")
	if err := flags.Parse(args); err != nil {
		return plan{}, err
	}
	if *quick {
		given := map[string]bool{}
		flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
		p.hurry(given)
	}
	if *only != "" {
		p.only = strings.Split(*only, ",")
	}
	if p.churn == 0 && slices.Contains(p.only, chapterChurn) {
		p.churn = churnTime
	}
	return p, p.validate(flags.Args())
}

// hurry shortens what the command line did not set.
func (p *plan) hurry(given map[string]bool) {
	if !given["rounds"] {
		p.rounds = 3
	}
	if !given["duration"] {
		p.duration = shortestRound
	}
	if !given["long"] {
		p.long = false
	}
}

func (p *plan) validate(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("what is %q? -help lists the flags", rest[0])
	case p.rounds < 1:
		return errors.New("-rounds must be at least 1")
	case p.duration < shortestRound:
		return fmt.Errorf("-duration must be at least %v", shortestRound)
	case p.objects < leastObjects || p.huge < leastObjects:
		return fmt.Errorf("-objects and -huge-objects must be at least %d", leastObjects)
	}
	for _, name := range p.only {
		if !slices.Contains(chapterNames(), name) {
			return fmt.Errorf("-only: no chapter %q; there are %s", name, strings.Join(chapterNames(), ", "))
		}
	}
	return nil
}

// wants tells whether the plan has a chapter.
func (p *plan) wants(name string) bool {
	switch {
	case p.only != nil:
		return slices.Contains(p.only, name)
	case name == chapterFull:
		return p.long
	case name == chapterHuge:
		return p.withHuge
	case name == chapterChurn:
		return p.churn > 0
	}
	return true
}
