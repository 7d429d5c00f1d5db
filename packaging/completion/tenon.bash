# What bash offers after "tenon". A test compares it with what --help says.

# The column of "tenon plugins list" with this number, a word a line.
_tenon_plugins() {
  "${COMP_WORDS[0]}" --format csv plugins list 2>/dev/null |
    sed 1d | cut -d, -f"$1" | tr ' ' '\n'
}

# The command's words so far go to `command`, the number of the arguments behind
# them to `given`. Bash has parted "--format=json" into three words.
_tenon_parse() {
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
    -c | -f | --config | --plugin-dir | --format | --password | --deadline | \
      --interval | --count | --file | --url | --quirks)
      [[ ${COMP_WORDS[i + 1]} != '=' ]] || ((i++))
      ((i++))
      ;;
    -*) ;;
    *)
      case $command in
      '' | plugins | errors | config) command=${command:+$command }${COMP_WORDS[i]} ;;
      *) ((given++)) ;;
      esac
      ;;
    esac
  done
}

_tenon_options() {
  echo --config -c --plugin-dir --password --no-color --verbose -v --help -h \
    --version -V
  [[ $command == metrics ]] || echo --format -f
  case $command in
  query) echo --deadline --file ;;
  ping | metrics) echo --deadline --watch --interval --count ;;
  'plugins check') echo --url --quirks ;;
  esac
}

# What may stand where neither an option nor its value does.
_tenon_arguments() {
  case $command in
  '') echo query shell ping metrics plugins errors config help ;;
  plugins) echo list inspect check new doctor ;;
  errors) echo explain list ;;
  config) echo show check ;;
  'plugins inspect' | 'errors explain' | 'errors list')
    ((given > 0)) || _tenon_plugins 1
    ;;
  query | shell | ping | metrics)
    ((given > 0)) || _tenon_plugins 2 | sed 's,$,://,'
    ;;
  esac
}

_tenon() {
  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' given=0 offer=''

  if [[ $word == '=' ]]; then
    word=''
  elif [[ $option == '=' ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  _tenon_parse
  COMPREPLY=()
  case $option in
  -c | --config | --file | --quirks) offer=-f ;;
  --plugin-dir) offer=-d ;;
  -f | --format) offer='table json jsonl csv' ;;
  --password) offer='file: env: prompt' ;;
  --deadline | --interval | --count | --url) return ;;
  *)
    if [[ $word == -* ]]; then
      offer=$(_tenon_options)
    elif [[ $command == 'plugins check' ]]; then
      offer=-f
    else
      offer=$(_tenon_arguments)
    fi
    ;;
  esac
  case $offer in
  -f | -d)
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$offer" -- "$word")
    ;;
  *)
    [[ $offer != *: && $offer != *:// ]] || compopt -o nospace 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -W "$offer" -- "$word")
    ;;
  esac
}

complete -F _tenon tenon
