/* The memory of one parse. Tree-sitter takes many small pieces and gives them
 * back one by one; here they are given back all at once. */
#ifndef READ_POOL_H
#define READ_POOL_H

/* From here on Tree-sitter has its memory from here. */
void pool_begin(void);
/* Whatever it took is gone. */
void pool_end(void);

#endif
