package cli

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// completeWithin is how long a home is asked for the names of its channels while
// somebody waits for his shell.
const completeWithin = time.Second

// completeURL completes the first most arguments of a command as URLs, all of
// them if most is negative.
func completeURL(most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if most >= 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		if names := completeChannel(cmd.Context(), typed); names != nil {
			return names, cobra.ShellCompDirectiveNoFileComp
		}
		var all []cobra.Completion
		for _, s := range schemes() {
			if strings.HasPrefix(s, typed) {
				all = append(all, s)
			}
		}
		return all, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
}

// completeChannel completes the name of a channel behind the URL of its home.
func completeChannel(ctx context.Context, typed string) (all []cobra.Completion) {
	if ctx == nil {
		ctx = context.Background()
	}
	home, name, ok := strings.Cut(typed, "?chan=")
	join, escape := "?chan=", url.QueryEscape
	if after, is := strings.CutPrefix(typed, "shm:"); is && !strings.ContainsAny(after, "/?=") {
		home, name, ok, join, escape = "shm:", after, true, "", url.PathEscape
	}
	if !ok && strings.HasPrefix(typed, "tcp://") {
		if i := strings.LastIndexByte(typed, '/'); i >= len("tcp://") {
			home, name, ok, join = typed[:i], typed[i+1:], true, "/"
		}
	}
	u, err := url.Parse(home)
	if !ok || err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, completeWithin)
	defer cancel()
	listed, err := list(ctx, u)
	if err != nil {
		return nil
	}
	for _, n := range sortedNames(listed) {
		if n = escape(n); strings.HasPrefix(n, name) {
			all = append(all, home+join+n)
		}
	}
	return all
}

// completeOneOf completes a flag that takes one of a few values.
func completeOneOf(values ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
}
