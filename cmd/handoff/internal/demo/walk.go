package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// listing is what a folder holds for us.
type listing struct {
	paths   []string // of the .go files, with slashes, from the folder on, in order
	skipped []string // folders and files that cannot be looked at
}

// list walks the folder dir. Only regular files count: what a link points to is
// either in the folder already or not part of it.
func list(ctx context.Context, dir string) (listing, error) {
	l, err := listFS(ctx, os.DirFS(dir))
	if err != nil {
		return l, fmt.Errorf("%s: %w", dir, plain(err))
	}
	if len(l.paths) == 0 {
		return l, fmt.Errorf("%s: no .go files in it; the demo needs a folder with some", dir)
	}
	return l, nil
}

func listFS(ctx context.Context, tree fs.FS) (l listing, err error) {
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && name == ".":
			return err
		case err != nil:
			l.skipped = append(l.skipped, name)
			return nil
		case d.Type().IsRegular() && path.Ext(name) == ".go":
			l.paths = append(l.paths, name)
		}
		return nil
	})
	return l, err
}

// folder returns the absolute path of the folder to walk: dir, or the sources of
// the Go that is on this machine. Links are followed here, as a walk would not.
func folder(ctx context.Context, dir string) (string, error) {
	if dir == "" {
		var err error
		if dir, err = goTree(ctx); err != nil {
			return "", err
		}
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", fmt.Errorf("%s: %w", dir, plain(err))
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", fmt.Errorf("%s: %w", dir, plain(err))
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s: not a folder", dir)
	}
	return filepath.Abs(real)
}

// goTree asks the go command, which knows better than this binary where it is.
func goTree(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOROOT")
	// A go.mod nearby that wants another Go must not have it fetched now.
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local")
	out, err := cmd.Output()
	root := strings.TrimSpace(string(out))
	if err != nil || root == "" {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", errors.New("no go command to ask for the Go source tree; name a folder: handoff demo DIR")
	}
	return filepath.Join(root, "src"), nil
}

// plain takes from a file error the path and the call: the message names the
// path already.
func plain(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
