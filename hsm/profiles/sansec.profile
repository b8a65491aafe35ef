# Sansec. Alternatives: 0x80008105 raw; of a message 0x80008102 raw and 0x80008103 der with the ID inside.
title = Sansec 三未信安
key_type = 0x80000004
generate = 0x80008001
curve = no
sign = 0x80008104
input = digest
encoding = der
public = either
