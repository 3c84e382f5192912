package drivertest

type Checker any

var modelLaws, historyLaws []Law
