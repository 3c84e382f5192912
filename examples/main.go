// Command examples runs the programs of the article this system goes back to, in
// our API and in our own words:
//
//	go run ./examples            # their names, and what each shows
//	go run ./examples pingpong   # run some
//	go run ./examples all
//
// Each is one exported function of a package beside this file, named after its
// theme; README.md says which program of the article it stands for.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(names []string, out, complaints io.Writer) int {
	if len(names) == 0 {
		list(out)
		return 0
	}
	var chosen []program
	for _, name := range names {
		found := named(name)
		if found == nil {
			fmt.Fprintf(complaints, "no program is called %q; without a name all are listed\n", name)
			return 2
		}
		chosen = append(chosen, found...)
	}
	for i, p := range chosen {
		if len(chosen) > 1 {
			fmt.Fprintf(out, "%s# %s\n", strings.Repeat("\n", min(i, 1)), p.name())
		}
		p.run(out)
	}
	return 0
}

func list(out io.Writer) {
	for _, p := range programs {
		fmt.Fprintf(out, "%-14s %s\n", p.name(), p.shows())
	}
}

// named returns the program of that name, or all for "all".
func named(name string) []program {
	if name == "all" {
		return programs
	}
	for _, p := range programs {
		if p.name() == name {
			return []program{p}
		}
	}
	return nil
}
