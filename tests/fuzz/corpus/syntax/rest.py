
@one.two(3)
@three  # note
class A(B, metaclass=C, **d):
    a, b = c = 1, 2
    while a or b and not c:
        break
    else:
        raise X(y for y in z)
    try:
        a[b] = {'k': 1, **m}
    except (A, B):
        pass
    except C:
        x: int
    # at the end

    def f(self): 
        return r'\d' "é" u'x'

    @property
    def g(self):
        x = ~a | b & c ^ d << 2 // 3 % 4
        while True:
            return x
            # in
        # less
def h(): 
    print("long enough a body that it is not kept, for it is over four hundred bytes and returns nothing that anybody could use")
    print("long enough a body that it is not kept, for it is over four hundred bytes and returns nothing that anybody could use")
    print("long enough a body that it is not kept, for it is over four hundred bytes and returns nothing that anybody could use")
    print(f"long enough {x.y} a body", b'that', [a, b], {"c": d}, (e)); x = 3
