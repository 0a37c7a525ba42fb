#include "words.h"

#include <stdio.h>

int main(void) {
  printf("%s from a %s build\n", greeting(), BUILT_AS);
  return 0;
}
