#include "words.h"

const char* greeting(void) { return "good day"; }
