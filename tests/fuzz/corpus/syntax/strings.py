a = "a\"b" 'c\\' r"\"" b'\x00' f"plain" rb'\'' """a
"b" \""" """ '''c''d'''
b = ("x"  # note
     'y')
c = {} ; d = ()
e = [] if f else {a for a in b if c if d}
g = {k: v for k, v in w}
h = a if b else c if d else e
i = not a == b
j = x is not y in z not in w
k = a.b.c(d)(e)[f].g
l = -a ** -b
