package drivertest

type Checker any

var custodyReturnLaws, silenceLaws, holdLaws, holdSlotLaws, holdEndLaws, holdTimeLaws, deadLetterLaws, stopLaws, attachmentLaws, sendTimeoutLaws, modelLaws, historyLaws []Law
