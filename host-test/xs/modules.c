/*
 * Where modules come from: files, imported by relative path, parsed and made to behave like byte code
 * in flash. The functions starting with "fx" are those XS calls, or that replace one of XS's.
 */

#include "xsAll.h"
#include "xsScript.h"
#include "host.h"

/* ---- Byte code as in flash ---- */

/* The "archive" twin of an operation refers to its operand where it lies instead of copying it. */
static txU1 archiveTwin(txU1 operation)
{
  switch (operation) {
  case XS_CODE_CODE_1: return XS_CODE_CODE_ARCHIVE_1;
  case XS_CODE_CODE_2: return XS_CODE_CODE_ARCHIVE_2;
  case XS_CODE_CODE_4: return XS_CODE_CODE_ARCHIVE_4;
  case XS_CODE_STRING_1: return XS_CODE_STRING_ARCHIVE_1;
  case XS_CODE_STRING_2: return XS_CODE_STRING_ARCHIVE_2;
  case XS_CODE_STRING_4: return XS_CODE_STRING_ARCHIVE_4;
  default: return operation;
  }
}

/* XS's table of operations has their length, or 0 before an identifier, or -n before n bytes of length. */
static size_t operationLength(const txU1* code)
{
  txS1 size = gxCodeSizes[code[0]];
  uint16_t length2;
  uint32_t length4;
  switch (size) {
  case 0:
    return 1 + sizeof(txID);
  case -1:
    return 2 + code[1];
  case -2:
    memcpy(&length2, code + 1, sizeof(length2));
    return 3 + length2;
  case -4:
    memcpy(&length4, code + 1, sizeof(length4));
    return 5 + length4;
  default:
    return size;
  }
}

/* Function bodies lie in line with the code around them, so one pass reaches nested functions too. */
static void placeInFlash(txScript* script)
{
  txU1* code = (txU1*)script->codeBuffer;
  txU1* end = code + script->codeSize;
  while (code < end) {
    size_t length = operationLength(code);
    *code = archiveTwin(*code);
    code += length;
  }
}

/* Replaces fxDeleteScript (linker option --wrap): code "in flash" is referred to until the process ends. */
void __wrap_fxDeleteScript(txScript* script);
void __wrap_fxDeleteScript(txScript* script)
{
  (void)script;
}

/* ---- Modules ---- */

static char syntaxError[MESSAGE_CAPACITY];

/* Called by the parser, which goes on to produce code that throws the message without the place. */
static void keepSyntaxError(void* console, txString path, txInteger line, txString format, va_list arguments)
{
  int length = snprintf(syntaxError, sizeof(syntaxError), "%s:%d: ", path, (int)line);
  (void)console;
  vsnprintf(syntaxError + length, sizeof(syntaxError) - length, format, arguments);
}

/* Parses without mxDebugFlag, so without line-number operations. C_NULL: see `syntaxError`. */
static txScript* parseModule(txMachine* the, FILE* file, txString path)
{
  txParser parser;
  txParserJump jump;
  txScript* volatile script = C_NULL;
  fxInitializeParser(&parser, the, the->parserBufferSize, the->parserTableModulo);
  parser.reportError = keepSyntaxError;
  parser.firstJump = &jump;
  if (c_setjmp(jump.jmp_buf) == 0) {
    parser.path = fxNewParserSymbol(&parser, path);
    fxParserTree(&parser, file, (txGetter)fgetc, 0, C_NULL);
    fxParserHoist(&parser);
    fxParserBind(&parser);
    if (parser.errorCount == 0)
      script = fxParserCode(&parser);
  }
  fxTerminateParser(&parser);
  return script;
}

/* Bytes of the byte code of a module in a file, which is not run; -1 if it has none: see `codeSizeError`. */
txSize codeSizeOf(txMachine* the, txString path)
{
  FILE* file = fopen(path, "r");
  txScript* script = file ? parseModule(the, file, path) : C_NULL;
  if (!script) {
    if (!file)
      snprintf(syntaxError, sizeof(syntaxError), "cannot read %s: %s", path, strerror(errno));
    return -1;
  }
  fclose(file);
  return script->codeSize;
}

const char* codeSizeError(void)
{
  return syntaxError;
}

/* Replaces the part of `path` after its last slash by `specifier`. */
static void joinToDirectory(char* path, size_t capacity, const char* importer, const char* specifier)
{
  const char* slash = strrchr(importer, '/');
  snprintf(path, capacity, "%.*s/%s", (int)(slash - importer), importer, specifier);
}

/*
 * XS asks: which module does `slot` name in the module `importerID`? The answer is the real path, so
 * that a file reached by two paths is one module. XS_NO_ID as importer: the main module.
 */
txID fxFindModule(txMachine* the, txSlot* realm, txID importerID, txSlot* slot)
{
  char specifier[PATH_MAX];
  char path[2 * PATH_MAX];
  char realPath[PATH_MAX];
  (void)realm;
  fxToStringBuffer(the, slot, specifier, sizeof(specifier));
  if (importerID == XS_NO_ID) {
    if (!realpath(specifier, realPath))
      throwError(the, &mxReferenceErrorConstructor, "cannot find %s", specifier);
    return fxNewNameC(the, realPath);
  }
  joinToDirectory(path, sizeof(path), fxGetKeyName(the, importerID), specifier);
  if (specifier[0] != '.' || !realpath(path, realPath))
    throwError(the, &mxReferenceErrorConstructor, "cannot find \"%s\", imported by %s",
      specifier, fxGetKeyName(the, importerID));
  return fxNewNameC(the, realPath);
}

/* XS asks: read the module `moduleID`. */
void fxLoadModule(txMachine* the, txSlot* module, txID moduleID)
{
  txString path = fxGetKeyName(the, moduleID);
  FILE* file = fopen(path, "r");
  txScript* script = file ? parseModule(the, file, path) : C_NULL;
  /* A folder can be opened, but not read. */
  if (!file || ferror(file))
    throwError(the, &mxReferenceErrorConstructor, "cannot read %s: %s", path, strerror(errno));
  fclose(file);
  if (!script)
    throwError(the, &mxSyntaxErrorConstructor, "%s", syntaxError);
  placeInFlash(script);
  fxResolveModule(the, module, moduleID, script, C_NULL, C_NULL);
}
