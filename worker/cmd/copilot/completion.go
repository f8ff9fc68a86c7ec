package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// newCompletionCommand stands in for cobra's own, whose help is four screens.
func newCompletionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Write what lets a shell complete commands and flags",
		Long: `Write a script that lets a shell complete commands, flags, and the names of
clusters, which it asks the store for.`,
		Example: `  source <(copilot completion bash)
  copilot completion zsh > "${fpath[1]}/_copilot"
  copilot completion fish > ~/.config/fish/completions/copilot.fish
  copilot completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return usageError(fmt.Sprintf("SHELL: name one of bash, zsh, fish and powershell; see: %s --help", cmd.CommandPath()))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return cmd.Root().GenBashCompletionV2(out, true)
			case "zsh":
				return cmd.Root().GenZshCompletion(out)
			case "fish":
				return cmd.Root().GenFishCompletion(out, true)
			case "powershell":
				return cmd.Root().GenPowerShellCompletionWithDesc(out)
			}
			return usageError(fmt.Sprintf("SHELL %q is not known: use bash, zsh, fish or powershell", args[0]))
		},
	}
}
