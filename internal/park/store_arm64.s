//go:build !handoff_portable && !race

#include "textflag.h"

// func Store(word *atomic.Uint32, v uint32)
TEXT ·Store(SB), NOSPLIT, $0-12
	MOVD word+0(FP), R0
	MOVWU v+8(FP), R1
	STLRW R1, (R0)
	RET

// func storeWord(word *atomic.Uintptr, v uintptr)
TEXT ·storeWord(SB), NOSPLIT, $0-16
	MOVD word+0(FP), R0
	MOVD v+8(FP), R1
	STLR R1, (R0)
	RET
