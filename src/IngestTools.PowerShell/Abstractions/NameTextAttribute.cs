using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;
using System.Numerics;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>
/// Refuses numbers where a name is expected. PowerShell reads <c>0801</c> as 801 and <c>1E03</c> as 1000 in a list, a variable or a
/// pipeline, and a project, a branch or a file of that other name may exist.
/// </summary>
/// <remarks>
/// For a single number on the command line, PowerShell keeps the text where its digits would change, and gives the number alone where its
/// digits are the text. So a whole number that the statement has as an argument is taken as its digits. The same number out of a variable,
/// a property or a splatted table may have been another text (<c>$branch = 0012</c>), and is refused like every other number.
/// </remarks>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NameTextAttribute : ArgumentTransformationAttribute
{
    /// <summary>No name of a service or file has this character.</summary>
    private const char Mark = '\0';

    /// <summary>
    /// Whether a number becomes a marked text, for the cmdlet to refuse (<see cref="WhyRefused"/>). An input object whose parameter the
    /// binder refuses never reaches the cmdlet, and where all objects make one request that would do something else without it.
    /// </summary>
    public bool IsRefusedLater { get; init; }

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        object? value = Unwrap(inputData);
        if (value is string || value is not IList several)
            return IsNumber(inputData, isAlone: true) ? Refuse(value!) : inputData;
        object?[] elements = [.. several.Cast<object?>()];
        int number = Array.FindIndex(elements, element => IsNumber(element, isAlone: false));
        if (number < 0)
            return inputData;
        object refused = Unwrap(elements[number])!;
        if (!IsRefusedLater)
            throw Refusal(refused);
        elements[number] = Marked(refused);
        return elements;
    }

    /// <summary>Why a value is refused; null where it is not a number and was none.</summary>
    internal static string? WhyRefused(object? value) =>
        Unwrap(value) switch
        {
            string text => text is [Mark, .. var number] ? Describe(number) : null,
            { } number when IsNumeric(number) => Describe(TextOf(number)),
            _ => null,
        };

    private string Refuse(object number) => IsRefusedLater ? Marked(number) : throw Refusal(number);

    private static string Marked(object number) => Mark + TextOf(number);

    private static ArgumentTransformationMetadataException Refusal(object number) => new(Describe(TextOf(number)));

    private static string Describe(string number) =>
        $"{number} is a number, and this is a name. PowerShell reads 0801 as 801, and 1E03 as 1000. Put it in quotes, such as '0801'.";

    private static object? Unwrap(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value;

    private static bool IsNumber(object? given, bool isAlone)
    {
        object? value = Unwrap(given);
        if (value is null || !IsNumeric(value))
            return false;
        if (!isAlone)
            return true;
        return given is PSObject wrapped ? !KeepsItsText(wrapped) : !IsWhole(value) || !IsTyped(TextOf(value));
    }

    /// <summary>Whether the statement that is being executed has these digits as the argument of a parameter that takes a name.</summary>
    private static bool IsTyped(string digits)
    {
        string? statement = Runspace.DefaultRunspace?.Debugger?.GetCallStack().FirstOrDefault()?.Position?.Text;
        return statement is not null
            && Parser
                .ParseInput(statement, out _, out _)
                .FindAll(ast => ast is CommandAst, searchNestedScriptBlocks: true)
                .SelectMany(command => StaticParameterBinder.BindCommand((CommandAst)command, resolve: true).BoundParameters.Values)
                .Any(bound =>
                    bound.Parameter?.Attributes.Any(attribute => attribute is NameTextAttribute) == true
                    && bound.Value is ConstantExpressionAst constant and not StringConstantExpressionAst
                    && constant.Extent.Text == digits
                );
    }

    private static bool IsNumeric(object value) =>
        IsWhole(value) || value is sbyte or float or double or decimal or BigInteger or short or int or long;

    /// <summary>Whether a number is written with digits alone.</summary>
    private static bool IsWhole(object value) =>
        value switch
        {
            byte or ushort or uint or ulong => true,
            int number => number >= 0,
            long number => number >= 0,
            _ => false,
        };

    /// <summary>PowerShell ignores a format where it kept the text that was typed.</summary>
    private static bool KeepsItsText(PSObject wrapped) =>
        wrapped.ToString("E", CultureInfo.InvariantCulture)
        != ((IFormattable)wrapped.BaseObject).ToString("E", CultureInfo.InvariantCulture);

    private static string TextOf(object number) => ((IFormattable)number).ToString(null, CultureInfo.InvariantCulture);
}
