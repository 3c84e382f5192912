package web

import "slices"

// Routes is what can be asked for, each with its parameters.
func Routes() map[string][]string {
	all := map[string][]string{}
	for _, r := range table {
		all[r.method+" "+r.pattern] = slices.Clone(r.params)
	}
	return all
}
