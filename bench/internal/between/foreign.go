package between

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// programs are ours, in the languages of rivals that have no client in Go, or a
// slower one.
//
//go:embed program
var programs embed.FS

// unpack writes a program into the fleet's folder and returns the file.
func (f *Fleet) unpack(name string) string {
	text, err := programs.ReadFile("program/" + name)
	must(err)
	file := filepath.Join(f.dir, name)
	must(os.WriteFile(file, text, 0o600))
	return file
}

// compile makes a program of a file in C or C++ and flags for libraries. What was
// made once for this fleet is not made again.
func (f *Fleet) compile(name string, flags ...string) string {
	to := filepath.Join(f.dir, strings.TrimSuffix(name, filepath.Ext(name)))
	if _, err := os.Stat(to); err == nil {
		return to
	}
	compiler, file := "gcc", f.unpack(name)
	if filepath.Ext(name) == ".cpp" {
		compiler = "g++"
	}
	f.unpack("bench.h")
	said, err := exec.CommandContext(f.ctx, compiler, append([]string{"-O2", "-o", to, file}, flags...)...).CombinedOutput()
	check(err == nil, "%s: %v: %s", compiler, err, said)
	return to
}

// lacksLibrary says that programs in C cannot be built with one.
func lacksLibrary(header, debian string) string { return lacksHeader("gcc", "c", header, debian) }

func lacksHeader(compiler, language, header, debian string, flags ...string) string {
	if why := lacksProgram(compiler, compiler); why != "" {
		return why
	}
	cmd := exec.Command(compiler, append(flags, "-E", "-x", language, "-")...)
	cmd.Stdin = strings.NewReader("#include <" + header + ">\n")
	if err := cmd.Run(); err != nil {
		return fmt.Sprintf("%s is not installed (Debian: %s)", header, debian)
	}
	return ""
}

// inC is a crew of two programs in C.
func inC(name, library string) func(f *Fleet) crew {
	return func(f *Fleet) crew {
		program := f.compile(name+".c", "-l"+library)
		sink := f.launch(name+" sink", exec.CommandContext(f.ctx, program, "sink"))
		source := f.launch(name+" source", exec.CommandContext(f.ctx, program, "source", sink.at))
		return crew{asked: []*process{sink, source}}
	}
}

// erlangs is a crew of two nodes, which find each other without the port mapper of
// the system.
func erlangs(f *Fleet) crew {
	script := f.unpack("stream.erl")
	l, at := listen(tcp, "")
	must(l.Close()) // the port is free now
	port := at[strings.LastIndexByte(at, ':')+1:]
	node := func(role, flags string) *process {
		cmd := exec.CommandContext(f.ctx, "escript", script, role)
		cmd.Env = append(os.Environ(), "ERL_ZFLAGS=-start_epmd false -erl_epmd_port "+port+" -setcookie bench "+flags)
		return f.launch("erlang "+role, cmd)
	}
	sink := node("sink", "")
	return crew{asked: []*process{sink, node("source", "-dist_listen false")}}
}
