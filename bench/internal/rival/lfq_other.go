//go:build 386 || arm

package rival

var lfq = rival{name: "lfq", laws: "not on 32 bits: it does not compile there", lacks: lfqLacks}

var lfqAsleep = rival{name: "lfq, backing off", laws: lfq.laws, lacks: lfqLacks}

func lfqLacks(_, _, _ int) string { return "it does not compile on 32 bits" }
